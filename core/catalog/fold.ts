import { type Document, difference, type Patch, same } from './document.ts'
import { type Contribution, type EntityRow, type Group, nameOf, type StoredContribution } from './group.ts'
import { byRank, merge } from './merge.ts'
import { noRules, type Rules } from './refs.ts'
import { MANUAL } from './store.ts'
import { placeStubs, shown, stubChange, type Wanted, want } from './stubs.ts'

export interface FoldInput {
  readonly rows: readonly EntityRow[]
  /** All contributions of `rows`; of those that one stands for only that one, with the highest rank unless all are agreed. */
  readonly stored: readonly StoredContribution[]
  /** Records whose stored contributions are void. */
  readonly replaced: ReadonlySet<bigint>
  /** What those records say instead. */
  readonly said: readonly Contribution[]
  /** By blueprint: which lists are united. */
  readonly rules?: ReadonlyMap<string, Rules>
  /** Deleted ones that come back if something owns their names and no other entity has them. */
  readonly restored?: readonly EntityRow[]
  /** Names that relations want an entity of, by `nameOf`. Default: those of the stubs that readers see. */
  readonly wanted?: ReadonlyMap<string, Wanted>
}

/** One name and what it holds afterwards. */
export interface Settled {
  readonly blueprint: string
  readonly identifier: string
  /** The row that goes by this name afterwards; absent: a new one. */
  readonly row: EntityRow | undefined
  readonly members: readonly Contribution[]
  readonly document: Document
  /** Readers do not see it. */
  readonly hidden: boolean
  readonly anchor: bigint | null
  /** What readers see happen; absent: nothing. */
  readonly operation: 'created' | 'updated' | 'renamed' | 'restored' | undefined
  readonly patch: Patch | undefined
  /** Something of the row differs, even if no reader sees it. */
  readonly dirty: boolean
  /** Its relations differ, or readers see them for the first time. */
  readonly related: boolean
  /** Members whose contribution must be written. */
  readonly moved: readonly Contribution[]
}

export interface Fold {
  readonly settled: readonly Settled[]
  /**
   * Entities that nothing owns any more, with the records that did; stubs that no relation wants any more (no owners), or
   * that gave their name to a renamed or restored entity.
   */
  readonly closed: readonly { readonly row: EntityRow; readonly owners: readonly StoredContribution[] }[]
  /** The same of hidden stubs. */
  readonly dropped: readonly EntityRow[]
  /** Contributions as they are stored that are withdrawn or written anew. */
  readonly former: readonly StoredContribution[]
  /** For each row that one contribution stands for others of: where those are afterwards. */
  readonly rests: readonly { readonly row: EntityRow; readonly settled: Settled }[]
}

/**
 * The catalog as a view: after it, each name holds the merge of exactly the contributions that say this name. What is left
 * to decide is which row goes by which name. A row goes with its owners: it keeps its name while one of them still says
 * it, is renamed when they now say another name that is free, and is closed otherwise. Weak contributions stay with the name.
 */
export function fold({ rows, stored, replaced, said, rules, restored = [], wanted = shown(rows) }: FoldInput): Fold {
  const groups = new Map<string, Group>()
  const spoken = new Map<string, Group>()
  for (const each of stored) if (!replaced.has(each.recordId)) join(groups, each)
  for (const each of said) spoken.set(partOf(each), join(groups, each))
  const owners = Map.groupBy(
    stored.filter((each) => each.owning),
    (each) => each.entityId,
  )
  for (const name of wanted.values()) groupOf(groups, name)
  const { closed, loose } = assign(rows, groups, spoken, owners)
  restore(groups, restored)
  follow(groups)
  if (wanted.size > 0) want(groups, wanted, new Set(closed))
  const leaving = placeStubs(groups, loose)
  const before = new Map(stored.map((each) => [partOf(each), each] as const))
  const settled = [...groups.values()].map((group) =>
    settle(group, before, replaced, rules?.get(group.blueprint) ?? noRules),
  )
  const rewritten = settled.flatMap(({ moved }) => moved.flatMap((each) => before.get(partOf(each)) ?? []))
  const withdrawn = stored.filter((each) => replaced.has(each.recordId) && !spoken.has(partOf(each)))
  const standing = new Set(stored.filter((each) => each.stands).map((each) => each.entityId))
  const byName = new Map(settled.map((each) => [nameOf(each), each]))
  return {
    settled,
    closed: [...closed, ...leaving.filter(({ hidden }) => !hidden)].map((row) => ({
      row,
      owners: row.anchor === null ? [] : (owners.get(row.id) ?? []),
    })),
    dropped: leaving.filter(({ hidden }) => hidden),
    former: [...withdrawn, ...rewritten],
    rests: rows.flatMap((row) => {
      const after = standing.has(row.id) ? byName.get(nameOf(row)) : undefined
      return after === undefined ? [] : [{ row, settled: after }]
    }),
  }
}

function partOf({ recordId, rank }: Contribution): string {
  return `${recordId} ${rank.item} ${rank.mapping}`
}

function groupOf(groups: Map<string, Group>, { blueprint, identifier }: Omit<Wanted, 'led'>): Group {
  const name = nameOf({ blueprint, identifier })
  const known = groups.get(name)
  if (known !== undefined) return known
  const group: Group = { blueprint, identifier, members: [], owned: false, wanted: false, row: undefined }
  groups.set(name, group)
  return group
}

function join(groups: Map<string, Group>, each: Contribution): Group {
  const group = groupOf(groups, each)
  group.members.push(each)
  group.owned ||= each.owning
  return group
}

/**
 * Gives each group its row, if an owned one is left for it. All names are released before any is taken, so chains and swaps
 * need no order. `loose`: stubs, which have no say in it.
 */
function assign(
  rows: readonly EntityRow[],
  groups: ReadonlyMap<string, Group>,
  spoken: ReadonlyMap<string, Group>,
  owners: ReadonlyMap<bigint, readonly StoredContribution[]>,
): { closed: EntityRow[]; loose: EntityRow[] } {
  const leaving = rows.filter((row) => {
    if (row.anchor === null) return false
    const group = groups.get(nameOf(row))
    const former = new Set(owners.get(row.id)?.map((each) => each.recordId))
    if (!group?.members.some((each) => each.owning && former.has(each.recordId))) return true
    group.row = row
    return false
  })
  const closed = leaving.filter((row) => {
    for (const owner of (owners.get(row.id) ?? []).toSorted(byRank)) {
      const group = spoken.get(partOf(owner))
      if (group?.owned !== true || group.row !== undefined || group.blueprint !== row.blueprint) continue
      group.row = row
      return false
    }
    return true
  })
  return { closed, loose: rows.filter((row) => row.anchor === null) }
}

/** A stub that has the name makes way. */
function restore(groups: ReadonlyMap<string, Group>, deleted: readonly EntityRow[]): void {
  for (const row of deleted) {
    const group = groups.get(nameOf(row))
    if (group?.owned !== true || group.row !== undefined) continue
    group.row = row
    group.restored = true
  }
}

/**
 * What people wrote about an entity is meant for it and not for its name: where a rename leaves the name to nobody, it goes
 * along. Other weak contributions stay: their records say the new name when they are observed again.
 */
function follow(groups: Map<string, Group>): void {
  for (const group of groups.values()) {
    if (group.row === undefined || group.row.identifier === group.identifier) continue
    const left = groups.get(nameOf(group.row))
    if (left === undefined || left.owned || left.row !== undefined) continue
    const [along, staying] = [left.members.filter(follows), left.members.filter((each) => !follows(each))]
    group.members.push(...along)
    if (staying.length === 0) groups.delete(nameOf(left))
    else left.members.splice(0, left.members.length, ...staying)
  }
}

function follows({ rank }: Contribution): boolean {
  return rank.source === MANUAL
}

/**
 * Where one record at most may own a name: without what others that own it say. The one that ranks first wins, so that the
 * winner does not depend on who came first.
 */
function winning(members: readonly Contribution[]): readonly Contribution[] {
  const winner = members.filter(({ owning }) => owning).toSorted(byRank)[0]
  return members.filter(({ owning, recordId }) => !owning || recordId === winner?.recordId)
}

/** Whether a contribution needs a draft of its own beside the entity's document. One that may follow is never one of many. */
export function keepsDraft(each: Contribution, document: Document): boolean {
  return follows(each) || !same(each.document, document)
}

function settle(
  group: Group,
  before: ReadonlyMap<string, StoredContribution>,
  lost: ReadonlySet<bigint>,
  { united, exclusive }: Rules,
): Settled {
  const { blueprint, identifier, row, members, owned, wanted, restored = false } = group
  const merged = merge(exclusive ? winning(members) : members, united)
  const document = wanted ? { ...merged, title: merged.title ?? identifier } : merged
  const anchor = owned ? anchorOf(members, row, lost) : null
  const renamed = row !== undefined && row.identifier !== identifier
  const visible = row !== undefined && !row.hidden
  const exists = owned || wanted
  const content = row === undefined ? undefined : difference(row.document, document)
  const patch = visible ? { ...nameChange(row, identifier), ...stubChange(row, owned), ...content } : content
  const operation = !exists
    ? undefined
    : !visible
      ? 'created'
      : restored
        ? 'restored'
        : renamed
          ? 'renamed'
          : patch !== undefined && Object.keys(patch).length > 0
            ? 'updated'
            : undefined
  return {
    blueprint,
    identifier,
    row,
    members,
    document,
    hidden: !exists,
    anchor,
    operation,
    patch: operation === 'created' || Object.keys(patch ?? {}).length === 0 ? undefined : patch,
    dirty:
      row === undefined ||
      restored ||
      renamed ||
      content !== undefined ||
      row.hidden === exists ||
      row.anchor !== anchor,
    related: exists && (!visible || restored || !same(row.document.relations, document.relations)),
    moved: members.filter((each) => {
      const old = before.get(partOf(each))
      if (old?.stands === true) return false
      if (old === undefined || old.entityId !== row?.id || old.owning !== each.owning) return true
      const draft = keepsDraft(each, document)
      return old.hasDraft !== draft || (draft && !same(old.document, each.document))
    }),
  }
}

function nameChange({ identifier }: EntityRow, now: string): Patch {
  return identifier === now ? {} : { identifier: [identifier, now] }
}

/** `lost`: records whose stored contributions are void; an anchor that is not among them holds, whether it was loaded or not. */
function anchorOf(
  members: readonly Contribution[],
  row: EntityRow | undefined,
  lost: ReadonlySet<bigint>,
): bigint | null {
  const owning = members.filter((each) => each.owning)
  if (row !== undefined && row.anchor !== null && !lost.has(row.anchor)) return row.anchor
  if (owning.some((each) => each.recordId === row?.anchor)) return row?.anchor ?? null
  const first = owning.length > 1 ? owning.toSorted(byRank)[0] : owning[0]
  return first?.recordId ?? null
}
