import type { OpenHold } from '../catalog/stored.ts'
import type { EntityDraft } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { ItemDraft, MappingOutput } from '../model/mapping.ts'
import type { Problem } from '../model/problem.ts'
import { healed } from './heal.ts'

export type Said = ItemDraft & { readonly mapping: string }

/** Something that the new outputs take away from the catalog; the guard may put it back. */
export type Take =
  | { readonly type: 'contribution'; readonly what: string; readonly previous: Said }
  | {
      readonly type: 'property'
      readonly what: string
      /** What the guard counts together: one property of one mapping. */
      readonly property: string
      readonly mapping: string
      readonly item: string
      readonly name: string
      readonly value: Json
    }

export interface Reconciled {
  readonly drafts: readonly Said[]
  readonly quarantined: readonly { readonly mapping: string; readonly item: string; readonly problem: Problem }[]
  readonly takes: readonly Take[]
  /** Holds that are answered: what they kept is said again (dissolved), or goes now (released). */
  readonly settled: readonly { readonly what: string; readonly state: 'dissolved' | 'released' }[]
}

/**
 * What a record says from now on (I8): the new outputs, what failed keeps its last good value, what is quarantined keeps
 * everything, what is held stays as it is. `previous`: what its contributions say now.
 */
export function reconcile(
  previous: readonly Said[],
  outputs: readonly MappingOutput[],
  holds: readonly OpenHold[] = [],
): Reconciled {
  const state = new Map(holds.map((hold) => [hold.what, hold.state]))
  const drafts: Said[] = []
  const quarantined: { mapping: string; item: string; problem: Problem }[] = []
  const takes: Take[] = []
  const settled: { what: string; state: 'dissolved' | 'released' }[] = []
  const keeping: string[] = []

  /** Puts back what a hold keeps; answers whether it does. */
  const kept = (what: string): boolean => {
    const hold = state.get(what)
    if (hold === 'approved') settled.push({ what, state: 'released' })
    if (hold !== 'pending' && hold !== 'rejected') return false
    keeping.push(what)
    return true
  }
  const withdraw = (said: Said): void => {
    const what = contributionHold(said)
    if (kept(what)) drafts.push(plain(said))
    else if (state.has(what)) return
    else takes.push({ type: 'contribution', what, previous: plain(said) })
  }
  const seenAgain = (what: string): void => {
    if (state.has(what)) settled.push({ what, state: 'dissolved' })
  }

  const answered = new Set<string>()
  for (const output of outputs) {
    const { mapping } = output
    answered.add(mapping)
    const before = previous.filter((said) => said.mapping === mapping)
    if (output.state === 'quarantined') {
      quarantined.push({ mapping, item: '', problem: output.problem })
      drafts.push(...before.map((said) => plain(said)))
      continue
    }
    if (output.state === 'deselected') {
      for (const said of before) withdraw(said)
      continue
    }
    quarantined.push(...output.quarantined.map((each) => ({ mapping, ...each })))
    const now = new Set<string>()
    for (const item of output.drafts) {
      now.add(item.item)
      seenAgain(contributionHold({ mapping, item: item.item }))
      const match = counterpart(before, item)
      const draft = healed(item.draft, match?.draft)
      const { put, taken } = nulls(mapping, item.item, draft, match?.draft, state, kept, seenAgain)
      takes.push(...taken)
      drafts.push({ mapping, item: item.item, owning: item.owning, draft: put })
    }
    const set = new Set(output.quarantined.map((each) => each.item))
    for (const said of before) {
      if (set.has(said.item)) drafts.push(plain(said))
      else if (!now.has(said.item)) withdraw(said)
    }
  }
  // A mapping that is no longer in the file says nothing about anything any more.
  for (const said of previous) if (!answered.has(said.mapping)) withdraw(said)
  settled.push(...pointless(holds, new Set([...settled.map((each) => each.what), ...keeping]), drafts))
  return { drafts, quarantined, takes, settled }
}

/**
 * Holds that keep nothing any more: what is approved is not asked again even if there is nothing left to take away (its
 * expression fails now, say), and what is no longer said by anybody needs no keeping.
 */
function pointless(
  holds: readonly OpenHold[],
  answered: ReadonlySet<string>,
  drafts: readonly Said[],
): Reconciled['settled'] {
  const open = holds.filter(({ what }) => what !== 'presence' && !what.startsWith('dependent ') && !answered.has(what))
  const said = new Set<string>()
  if (open.length > 0) {
    for (const each of drafts) {
      said.add(contributionHold(each))
      for (const name of Object.keys(each.draft.properties)) said.add(propertyHold(each, name))
    }
  }
  return open
    .filter(({ what, state }) => state === 'approved' || !said.has(what))
    .map(({ what, state }) => ({ what, state: state === 'approved' ? 'released' : 'dissolved' }))
}

/** Puts back what the guard did not let go. */
export function withHeld(drafts: readonly Said[], held: readonly Take[]): readonly Said[] {
  if (held.length === 0) return drafts
  const result = drafts.map((said) => {
    const values = held.filter(
      (take) => take.type === 'property' && take.mapping === said.mapping && take.item === said.item,
    )
    if (values.length === 0) return said
    const properties = { ...said.draft.properties }
    for (const take of values) if (take.type === 'property') define(properties, take.name, take.value)
    return { ...said, draft: { ...said.draft, properties } }
  })
  for (const take of held) if (take.type === 'contribution') result.push(take.previous)
  return result
}

function nulls(
  mapping: string,
  item: string,
  draft: EntityDraft,
  before: EntityDraft | undefined,
  holds: ReadonlyMap<string, OpenHold['state']>,
  kept: (what: string) => boolean,
  seenAgain: (what: string) => void,
): { put: EntityDraft; taken: Take[] } {
  if (before === undefined) return { put: draft, taken: [] }
  const taken: Take[] = []
  let properties: Record<string, Json> | undefined
  const failed = new Set(draft.failed.map((problem) => problem.field))
  for (const [name, value] of Object.entries(before.properties)) {
    const there = (own(draft.properties, name) ?? null) !== null
    if (value === null || (there && holds.size === 0) || failed.has(`properties.${name}`)) continue
    const what = propertyHold({ mapping, item }, name)
    if (there) {
      seenAgain(what)
    } else if (kept(what)) {
      properties ??= { ...draft.properties }
      define(properties, name, value)
    } else if (!holds.has(what)) {
      taken.push({ type: 'property', what, property: `${mapping}.${name}`, mapping, item, name, value })
    }
  }
  return { put: properties === undefined ? draft : { ...draft, properties }, taken }
}

/**
 * What the same item said before. The items of a list are numbered, so that removing one renumbers the others: there
 * only one of the same name can be the same.
 */
function counterpart(before: readonly Said[], item: ItemDraft): Said | undefined {
  if (!item.item.includes('.')) return before.find((said) => said.item === item.item)
  return before.find(
    ({ draft }) => draft.blueprint === item.draft.blueprint && draft.identifier === item.draft.identifier,
  )
}

function contributionHold(said: { readonly mapping: string; readonly item: string }): string {
  return `contribution ${said.mapping}/${said.item}`
}

function propertyHold(said: { readonly mapping: string; readonly item: string }, name: string): string {
  return `property ${said.mapping}/${said.item}/${name}`
}

/** Without what the store adds when it reads. */
function plain(said: Said): Said {
  return { mapping: said.mapping, item: said.item, owning: said.owning, draft: said.draft }
}

function own<Value>(object: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** Also for a property called __proto__. */
function define(object: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
