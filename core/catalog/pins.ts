import type { Batch } from './batch.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { documentFrom, type StoredDocument } from './entities.ts'
import type { Contribution, EntityRow, StoredContribution } from './group.ts'
import { StaleDecision } from './refusals.ts'

/**
 * A pin is a contribution of the record that owned a deleted entity: it says what the entity said last, whatever the record
 * is now, under the name of no mapping. It ranks behind everything else that the record says.
 */
export const PIN = '~pin'

/** The contribution's item; as a hold it keeps a mapping from withdrawing it. */
export function pinOf(entityId: bigint | string): { readonly item: string; readonly what: string } {
  return { item: String(entityId), what: `contribution ${PIN}/${entityId}` }
}

interface PinRow {
  readonly recordId: bigint
  readonly entityId: bigint
  readonly name: string
}

/** What pins mean for one transaction. */
export interface Pinning {
  /** Records beside those that are written or gone, whose contributions are gone through again. */
  readonly records: readonly bigint[]
  /** Contributions of the batch's records, without what a pin no longer has to keep, and of a new pin. */
  readonly said: readonly Contribution[]
  readonly restored: readonly EntityRow[]
  readonly ended: readonly PinRow[]
  /** A stored contribution stays although its record is gone or gone through. */
  keeps(stored: StoredContribution): boolean
}

type Rank = Omit<Contribution['rank'], 'key' | 'version' | 'mapping' | 'item'>

/**
 * A pin outlives its record. It ends when the source shows the record again, when another record says the entity's name
 * (then that is a new object under an old name), or when a person ends it. `any`: there are pins at all.
 */
export async function pinning(
  tx: Queryable,
  batch: Batch,
  any: boolean,
  rank: Rank,
  written: ReadonlySet<bigint>,
  gone: ReadonlySet<bigint>,
  said: readonly Contribution[],
): Promise<Pinning> {
  const { pin } = batch
  if (!any && pin === undefined) return { records: [], said, restored: [], ended: [], keeps: () => false }
  const names = new Set(
    said
      .filter((each) => each.owning && each.rank.mapping !== PIN)
      .map((each) => `${each.blueprint}:${each.identifier}`),
  )
  const kept = new Set(
    said
      .filter(({ rank: { mapping } }) => mapping === PIN)
      .map(({ recordId, rank: { item } }) => `${recordId} ${item}`),
  )
  const rows = await pinsAbout(tx, [...written, ...gone], [...names], pin)
  const ended = rows.filter(
    (row) =>
      names.has(row.name) ||
      (written.has(row.recordId) && !kept.has(idOf(row))) ||
      (pin?.do === 'unpin' && pin.recordId === row.recordId && pin.entityId === row.entityId),
  )
  const over = new Set(ended.map(idOf))
  const records = new Set(ended.map(({ recordId }) => recordId))
  if (pin !== undefined) records.add(pin.recordId)
  const beside = [...records].filter((id) => !written.has(id) && !gone.has(id))
  const restored = pin?.do === 'pin' ? [await lockDeleted(tx, pin.entityId)] : []
  const pinned = await Promise.all(restored.map((row) => contributionOf(tx, rank, row, pin?.recordId ?? 0n)))
  return {
    records: beside,
    said: [
      ...said.filter(({ recordId, rank: { mapping, item } }) => mapping !== PIN || !over.has(`${recordId} ${item}`)),
      ...pinned,
    ],
    restored,
    ended,
    keeps: ({ recordId, rank: { mapping, item } }) =>
      mapping === PIN
        ? (gone.has(recordId) || beside.includes(recordId)) && !over.has(`${recordId} ${item}`)
        : beside.includes(recordId),
  }
}

function idOf({ recordId, entityId }: PinRow): string {
  return `${recordId} ${pinOf(entityId).item}`
}

async function pinsAbout(
  tx: Queryable,
  records: readonly bigint[],
  names: readonly string[],
  pin: Batch['pin'],
): Promise<readonly PinRow[]> {
  const split = names.map((name) => [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)] as const)
  const { rows } = await tx.query<{ record_id: string; entity_id: string; name: string }>(
    `SELECT p.record_id, p.entity_id, e.blueprint || ':' || e.identifier AS name FROM pins p JOIN entities e ON e.id = p.entity_id
     WHERE p.record_id = ANY ($1::int8[])
     UNION
     SELECT p.record_id, p.entity_id, e.blueprint || ':' || e.identifier
     FROM unnest($2::text[], $3::text[]) u (blueprint, identifier)
     JOIN entities e ON e.blueprint = u.blueprint AND e.identifier = u.identifier AND e.deleted IS NULL
     JOIN pins p ON p.entity_id = e.id`,
    [
      array('int8', pin === undefined ? records : [...records, pin.recordId]),
      array(
        'text',
        split.map(([blueprint]) => blueprint),
      ),
      array(
        'text',
        split.map(([, identifier]) => identifier),
      ),
    ],
    { name: 'pins_about' },
  )
  return rows.map((row) => ({ recordId: BigInt(row.record_id), entityId: BigInt(row.entity_id), name: row.name }))
}

/** Of these, those that are deleted still. */
export async function lockReturning(tx: Queryable, ids: readonly bigint[]): Promise<readonly EntityRow[]> {
  const { rows } = await tx.query<{ id: string }>(
    'SELECT id FROM entities WHERE id = ANY ($1::int8[]) AND deleted IS NOT NULL AND anchor IS NOT NULL ORDER BY id',
    [array('int8', [...new Set(ids)])],
  )
  const locked: EntityRow[] = []
  for (const { id } of rows) locked.push(await lockDeleted(tx, BigInt(id)))
  return locked
}

/** Nobody else locks what is deleted, so it may come before the lock of the others. */
async function lockDeleted(tx: Queryable, entityId: bigint): Promise<EntityRow> {
  const { rows } = await tx.query<
    StoredDocument & {
      blueprint: string
      identifier: string
      anchor: string | null
      derived: number
      revision: string
      updated_at: Date
    }
  >(
    `SELECT blueprint, identifier, anchor, derived, revision, updated_at, title, team, properties, relations, failed
     FROM entities WHERE id = $1 AND deleted IS NOT NULL AND anchor IS NOT NULL FOR UPDATE`,
    [entityId],
  )
  const [row] = rows
  if (row === undefined) throw new StaleDecision(`entity ${entityId} is not deleted any more`)
  return {
    id: entityId,
    blueprint: row.blueprint,
    identifier: row.identifier,
    anchor: row.anchor === null ? null : BigInt(row.anchor),
    hidden: false,
    document: documentFrom(row),
    derived: row.derived,
    revision: BigInt(row.revision),
    updatedAt: row.updated_at.getTime(),
  }
}

async function contributionOf(tx: Queryable, rank: Rank, row: EntityRow, recordId: bigint): Promise<Contribution> {
  const { rows } = await tx.query<{ key: string; version: string | null }>(
    'SELECT key, version FROM records WHERE id = $1',
    [recordId],
  )
  const { key, version } = rows[0] ?? { key: '', version: null }
  const { blueprint, identifier, document } = row
  return {
    recordId,
    owning: true,
    blueprint,
    identifier,
    document,
    rank: { ...rank, key, version, mapping: PIN, item: pinOf(row.id).item },
  }
}

/** Remembers who and why. A record that is still there is mapped again and again: the hold is what keeps its pin then. */
export async function writePins(tx: Queryable, batch: Batch, { ended }: Pinning): Promise<void> {
  if (ended.length > 0) {
    const whats = ended.map(({ entityId }) => pinOf(entityId).what)
    const values = [
      array(
        'int8',
        ended.map(({ recordId }) => recordId),
      ),
      array('text', whats),
    ]
    await tx.query(
      'DELETE FROM pins p USING unnest($1::int8[], $2::text[]) u (record, what) WHERE p.record_id = u.record AND p.what = u.what',
      values,
    )
    await tx.query(
      `UPDATE held h SET state = 'dissolved' FROM unnest($1::int8[], $2::text[]) u (record, what)
       WHERE h.record_id = u.record AND h.what = u.what AND h.state = 'rejected'`,
      values,
    )
  }
  const { pin, cause } = batch
  if (pin?.do !== 'pin') return
  const { what } = pinOf(pin.entityId)
  const who = cause.type === 'person' ? cause.who : ''
  const at = new Date(batch.now)
  await tx.query('INSERT INTO pins (record_id, what, entity_id, who, reason, at) VALUES ($1, $2, $3, $4, $5, $6)', [
    pin.recordId,
    what,
    pin.entityId,
    who,
    pin.reason ?? null,
    at,
  ])
  await tx.query(
    `INSERT INTO held (kind_id, record_id, what, reason, state, held_at, decided_at, decided_by)
     SELECT kind_id, id, $2, 'its deletion was undone', 'rejected', $3, $3, $4 FROM records WHERE id = $1 AND state = 'live'`,
    [pin.recordId, what, at, who],
  )
}
