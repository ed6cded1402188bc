import { hash } from 'node:crypto'
import type { EntityDraft } from '../../model/entity.ts'
import type { RecordWrite } from '../batch.ts'
import { same } from '../document.ts'
import type { Span } from '../stored.ts'
import { checkItem, checkRequired, type ItemError, withPlainTargets } from './check.ts'
import { type Desk, ITEM, MAPPING, owns } from './desk.ts'
import { isNothing, type ManualItem, type Written, writeOver } from './item.ts'
import type { Found, Name } from './written.ts'

/** What became of one item. */
export interface ItemResult {
  readonly index: number
  /** The entity's current name; the one that was written when there is none. */
  readonly reference: string
  readonly state: 'written' | 'unchanged' | 'refused'
  /** The entity is in the catalog. What is written about one that no source has yet waits for it. */
  readonly exists: boolean
  readonly errors: readonly ItemError[]
}

export interface ItemPlan {
  readonly results: readonly ItemResult[]
  readonly writes: readonly RecordWrite[]
}

/** Several items about one entity are taken in their order. `found`: what there is, in the order of the items. */
export function planItems(
  desk: Desk,
  items: readonly ManualItem[],
  found: readonly Found[],
  span: Span,
  replace: boolean,
): ItemPlan {
  const latest = new Map<string, { readonly found: Found; readonly written: Written }>()
  const results = items.map((given, index): ItemResult => {
    const there = found[index]
    const blueprint = desk.blueprints.get(given.blueprint)
    if (blueprint === undefined || there === undefined) return refused(index, given, [unknownBlueprint(desk, given)])
    const item = withPlainTargets(given, blueprint)
    const name = nameOf(there.name)
    const before = latest.get(name)?.written ?? there.written
    const written = writeOver(before, item, replace)
    const own = owns(blueprint)
    const errors = [...checkItem(item, blueprint), ...(own && !there.owned ? checkRequired(written, blueprint) : [])]
    const exists = there.exists || own
    if (errors.length > 0) return { ...refused(index, item, errors), reference: name, exists: there.exists }
    const known = there.record !== undefined || latest.has(name)
    if ((known || (isNothing(written) && !own)) && same(before, written)) {
      return { index, reference: name, state: 'unchanged', exists, errors: [] }
    }
    latest.set(name, { found: there, written })
    return { index, reference: name, state: 'written', exists, errors: [] }
  })
  const writes = [...latest.values()].map((each) => recordWrite(desk, each.found, each.written, span))
  return { results, writes }
}

export function nameOf({ blueprint, identifier }: Name): string {
  return `${blueprint}:${identifier}`
}

function refused(index: number, item: Name, errors: readonly ItemError[]): ItemResult {
  return { index, reference: nameOf(item), state: 'refused', exists: false, errors }
}

function unknownBlueprint(desk: Desk, { blueprint }: Name): ItemError {
  const known = [...desk.blueprints.keys()].toSorted().join(', ')
  const hint = known === '' ? 'No source has brought one yet.' : `Blueprints: ${known}.`
  return { code: 'blueprint_unknown', field: 'blueprint', detail: `There is no blueprint "${blueprint}".`, hint }
}

function recordWrite(desk: Desk, found: Found, written: Written, span: Span): RecordWrite {
  const stored = found.record ?? found.tombstone
  const { blueprint, identifier } = found.name
  const body = JSON.stringify(written)
  const name = nameOf(found.name)
  return {
    key: stored?.key ?? (found.taken ? `${name}#${span.begin}` : name),
    ...(stored && { expected: { id: stored.id, hash: stored.hash, end: stored.span.end, state: stored.state } }),
    version: undefined,
    hash: hash('sha256', body, 'hex').slice(0, 32),
    body,
    locator: { blueprint, identifier },
    span,
    presences: [desk.partitionId],
    drafts: [draftOf({ ...found.name, ...written, failed: [] }, owns(desk.blueprints.get(blueprint)))],
    quarantined: [],
  }
}

export function draftOf(draft: EntityDraft, owning: boolean): RecordWrite['drafts'][number] {
  return { mapping: MAPPING, item: ITEM, owning, draft }
}
