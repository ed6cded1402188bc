import type { Batch, Mute } from './batch.ts'
import { array, type Cell } from './binary.ts'
import type { Queryable } from './db.ts'
import type { Contribution, StoredContribution } from './group.ts'
import { insertRows, table } from './rows.ts'

/** What one transaction does about contributions that own nothing for now (deleteDependentEntities). */
export interface Muting {
  /** Records of the batch that are neither written nor gone: what they say is gone through again. */
  readonly records: ReadonlySet<bigint>
  /** What a record says now: it owns nothing while it still leads to what was deleted. */
  heard(said: Contribution): Contribution
  /** What a record of `records` says, which is what it said before. */
  again(stored: StoredContribution): Contribution
  /** Entities that may come back. */
  readonly returning: readonly bigint[]
  write(gone: readonly bigint[]): Promise<void>
}

const muted = table('muted', {
  record_id: 'int8',
  mapping: 'text',
  item: 'text',
  entity_id: 'int8',
  relation: 'text',
  blueprint: 'text',
  identifier: 'text',
})

/** `any`: something is muted already. Undefined: nothing is, neither before nor now. */
export async function mutingOf(
  tx: Queryable,
  any: boolean,
  { mute = [], unmute = [] }: Batch,
  written: readonly bigint[],
): Promise<Muting | undefined> {
  if (!any && mute.length + unmute.length === 0) return undefined
  const { rows } = await tx.query<{
    record: string
    mapping: string
    item: string
    relation: string
    identifier: string
  }>(
    'SELECT record_id AS record, mapping, item, relation, identifier FROM muted WHERE record_id = ANY ($1::int8[])',
    [array('int8', written)],
    { name: 'muted_records' },
  )
  const before = new Map(rows.map((row) => [`${row.record} ${row.item} ${row.mapping}`, row]))
  const [muting, back] = [new Set(mute.map(partOf)), new Set(unmute.map(partOf))]
  const over: { readonly recordId: bigint; readonly mapping: string; readonly item: string }[] = [...unmute, ...mute]
  return {
    records: new Set([...mute, ...unmute].map(({ recordId }) => recordId)),
    returning: unmute.map(({ entityId }) => entityId),
    heard(said) {
      const { mapping, item } = said.rank
      const row = before.get(partOf({ recordId: said.recordId, mapping, item }))
      if (row === undefined) return said
      if (leadsTo(said.document.relations[row.relation], row.identifier)) return { ...said, owning: false }
      over.push({ recordId: said.recordId, mapping, item })
      return said
    },
    again(stored) {
      const part = partOf({ recordId: stored.recordId, mapping: stored.rank.mapping, item: stored.rank.item })
      return muting.has(part) ? { ...stored, owning: false } : back.has(part) ? { ...stored, owning: true } : stored
    },
    async write(gone) {
      await tx.query(
        `DELETE FROM muted m WHERE m.record_id = ANY ($1::int8[]) OR (m.record_id, m.mapping, m.item) IN (
           SELECT * FROM unnest($2::int8[], $3::text[], $4::text[]))`,
        [array('int8', gone), ...columns(over)],
      )
      await insertRows(
        tx,
        muted,
        mute.map((each): Cell[] => [
          each.recordId,
          each.mapping,
          each.item,
          each.entityId,
          each.relation,
          each.blueprint,
          each.identifier,
        ]),
      )
    },
  }
}

function columns(parts: readonly Pick<Mute, 'recordId' | 'mapping' | 'item'>[]): readonly Buffer[] {
  return [
    array(
      'int8',
      parts.map(({ recordId }) => recordId),
    ),
    array(
      'text',
      parts.map(({ mapping }) => mapping),
    ),
    array(
      'text',
      parts.map(({ item }) => item),
    ),
  ]
}

function partOf({ recordId, mapping, item }: Pick<Mute, 'recordId' | 'mapping' | 'item'>): string {
  return `${recordId} ${item} ${mapping}`
}

function leadsTo(said: unknown, identifier: string): boolean {
  return said === identifier || (Array.isArray(said) && said.includes(identifier))
}
