import {
  BadAnswer,
  type Check,
  type Connection,
  CredentialRefused,
  type Got,
  isObject,
  type Json,
  type JsonObject,
  type Kind,
  type ListRequest,
  type Partition,
  SourceUnavailable,
} from '../sdk/index.ts'
import type { FaultName } from './faults.ts'
import { createListing } from './simulated-listing.ts'
import { type Caller, limited, type SourceState, scopeOf, traits, versionOf, visible } from './simulated-state.ts'
import { simulatedWebhook } from './simulated-webhook.ts'
import { hasBranches, itemOf, type KindName, kindsOf, partitionNames } from './thing.ts'

export function connectSimulated(state: SourceState, caller: Caller): Connection {
  return {
    kinds: kindsOf[state.name].map((name) => createKind(state, caller, name)),
    check: () => caller.call(`${state.name} check`, () => check(state)),
    webhook: simulatedWebhook,
  }
}

function check(state: SourceState): Check {
  const { faults } = state
  const fault = faults.oneOf(['check-unavailable', 'check-credential-refused', 'check-rate-limited'])
  if (fault !== undefined) faults.count(fault)
  if (fault === 'check-unavailable') throw new SourceUnavailable('502')
  if (fault === 'check-credential-refused') throw new CredentialRefused('401')
  if (fault === 'check-rate-limited') throw limited(state)
  return { identity: 'simulated', fingerprint: `sees-${state.epoch}`, missing: [] }
}

function createKind(state: SourceState, caller: Caller, name: KindName): Kind {
  const { versioned, paging, coverage, get } = traits[name]
  const label = `${state.name}/${name}`
  return {
    name,
    coverage,
    paging,
    canonical,
    key: keyOf,
    ...(versioned ? { version: (item: Json) => versionOf(Number(member(item, 'serial'))) } : {}),
    // With what the auditor reads: which state of the object this was.
    locator: (item) => ({
      name: member(item, 'name') ?? null,
      born: member(item, 'born') ?? null,
      serial: member(item, 'serial') ?? null,
    }),
    partitions: () => caller.call(`${label} partitions`, () => partitions(state, name)),
    list: (request: ListRequest) => createListing(state, caller, name, request),
    ...(get
      ? {
          get: (key: string, _locator: JsonObject, partition: string) =>
            caller.call(`${label} get ${key} in ${partition}`, () => answer(state, name, key, partition)),
        }
      : {}),
  }
}

function partitions(state: SourceState, kind: KindName): readonly Partition[] {
  const { faults, random } = state
  if (faults.happens('check-unavailable')) throw new SourceUnavailable('503')
  const list = [...(kind === 'branch' ? repositories(state) : partitionNames.map((name): Partition => ({ name })))]
  const at = random.below(list.length)
  const one = list[at]
  const fault = one === undefined ? undefined : faults.oneOf(['partition-unreadable', 'partition-forgotten'])
  if (fault !== undefined) faults.count(fault)
  if (one !== undefined && fault === 'partition-unreadable') list[at] = { ...one, unknown: 'answered 404' }
  else if (fault === 'partition-forgotten') list.splice(at, 1)
  return list
}

/** Those that the credential sees now: what is hidden or gone is left out, not named as unreadable. */
function repositories(state: SourceState): readonly Partition[] {
  const there = partitionNames.flatMap((partition) => visible(state, 'repo', partition))
  const keys = new Set(there.filter((repo) => hasBranches(repo)).map(({ key }) => key))
  return [...keys].map((key) => ({ name: key, parent: { kind: 'repo', key } }))
}

const getFaults = ['get-unknown', 'get-unavailable', 'get-rate-limited', 'get-html', 'get-wrong-object'] as const

function answer(state: SourceState, kind: KindName, key: string, partition: string): Got {
  const { world, random } = state
  const fault: FaultName | undefined = state.faults.oneOf(getFaults)
  if (fault !== undefined) state.faults.count(fault)
  if (fault === 'get-unknown') return { state: 'unknown', reason: '404 over a scope that cannot be read' }
  if (fault === 'get-unavailable') throw new SourceUnavailable('500')
  if (fault === 'get-rate-limited') throw limited(state)
  if (fault === 'get-html') throw new BadAnswer('an HTML page')
  if (kind === 'branch' && scopeOf(state, partition) === undefined && random.chance(0.5)) {
    return { state: 'unknown', reason: '404 for the repository itself' }
  }
  const thing = world.find(kind, key)
  const other = fault === 'get-wrong-object' ? world.living(kind).find((each) => each.key !== key) : undefined
  if (other !== undefined) return { state: 'present', body: itemOf(other) }
  if (thing === undefined || thing.partitions.size === 0) return { state: 'gone' }
  // Where the credential sees it: a source does not name what it answers 404 for.
  const all = [...thing.partitions.keys()].filter((name) => visible(state, kind, name).includes(thing))
  if (!thing.partitions.has(partition)) {
    return all.length === 0 || random.chance(0.5)
      ? { state: 'gone' }
      : { state: 'present', body: itemOf(thing), partitions: all }
  }
  // A source that answers 404 for what a token may no longer see: only the changed fingerprint tells.
  if (!visible(state, kind, partition).includes(thing)) {
    // No listing of a window kind ever misses what was hidden, so nothing would stand against the 404.
    if (traits[kind].coverage === 'window') return { state: 'unknown', reason: '404' }
    return { state: 'gone' }
  }
  return { state: 'present', body: itemOf(thing), ...(random.chance(0.5) ? { partitions: all } : {}) }
}

function keyOf(item: Json): string {
  const key = member(item, 'key')
  if (typeof key !== 'string') throw new BadAnswer('the item has no key')
  return key
}

function canonical(item: Json): Json {
  if (member(item, 'poison') === true) throw new Error('this item cannot be read')
  const fields = ['key', 'name', 'stars', 'tier', 'owner', 'labels', 'archived', 'weird', 'born']
  return Object.fromEntries(fields.map((field) => [field, member(item, field) ?? null]))
}

function member(item: Json, name: string): Json | undefined {
  return isObject(item) ? item[name] : undefined
}
