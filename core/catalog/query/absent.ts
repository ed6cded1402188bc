import { reference } from '../../model/entity.ts'
import { isObject, type Json } from '../../model/json.ts'
import type { Db, Queryable } from '../db.ts'
import { refTarget } from '../refs.ts'
import { MANUAL } from '../store.ts'
import { latestChanges } from './changes.ts'
import { type Evaluate, type ExplainedEntity, type ExplainedRecord, type Explanation, nothing } from './explanation.ts'
import { recordsNamed } from './lookup.ts'

interface Name {
  /** Undefined: any. */
  readonly blueprint: string | undefined
  readonly identifier: string
}

/** Walks the path backwards: was it an entity, is there a record, is it pointed at, could we have seen it at all? */
export async function explainAbsent(db: Db, text: string, name: Name, evaluate: Evaluate): Promise<Explanation> {
  const deleted = await lastDeleted(db, name)
  const records = await recordsNamed(db, name.identifier, evaluate)
  const blind = await blindSpots(db)
  const notes = [
    ...(await pointedAt(db, name)),
    ...blind,
    ...(records === undefined ? ['The search for its record took too long and was given up.'] : []),
  ]
  const candidates = [...new Set((records ?? []).flatMap((record) => record.feeds))]
  const found: Pick<Explanation, 'reference' | 'notes' | 'records' | 'candidates'> = {
    reference: text,
    notes,
    records: records ?? [],
    candidates,
  }
  const reason = fromRecords(records ?? [], name)
  if (reason !== undefined && reason.state !== 'unmapped') {
    return { ...nothing, ...found, ...reason, ...(deleted === undefined ? {} : { entity: deleted.entity }) }
  }
  if (deleted !== undefined) {
    return {
      ...nothing,
      ...found,
      state: 'deleted',
      summary: `${deleted.entity.reference} was deleted${why(deleted.entity.deleted)}.`,
      entity: deleted.entity,
      changes: await latestChanges(db, { entityId: deleted.id }, 10),
    }
  }
  if (reason !== undefined) return { ...nothing, ...found, ...reason }
  return {
    ...nothing,
    ...found,
    state: blind.length > 0 ? 'unknown' : 'never_seen',
    summary:
      blind.length > 0
        ? `${text} was never seen, but parts of the sources cannot be read now, so it may exist.`
        : `${text} was never seen: no source listed anything that a mapping makes it of.`,
  }
}

/** The record is here: why does it not make the entity? */
function fromRecords(
  records: readonly ExplainedRecord[],
  name: Name,
): Pick<Explanation, 'state' | 'summary'> | undefined {
  for (const record of records.filter((one) => one.state === 'live')) {
    const what = `The ${record.kind} ${record.key} of ${record.source}`
    const quarantined = record.mappings.find((mapping) => mapping.outcome === 'quarantined')
    if (quarantined?.problem !== undefined) {
      const { field, expression, message } = quarantined.problem
      const summary = `${what} is here, but ${quarantined.mapping} failed on it: ${field} (${expression}): ${message}`
      return { state: 'quarantined', summary }
    }
    const deselected = record.mappings.find((mapping) => mapping.outcome === 'deselected')
    if (deselected !== undefined && !record.mappings.some((mapping) => mapping.outcome === 'selected')) {
      const summary = `${what} is here, but the selector of ${deselected.mapping} is false for it: ${deselected.expression ?? ''}`
      return { state: 'deselected', summary }
    }
    const same = record.feeds.filter((feed) => name.blueprint === undefined || feed.startsWith(`${name.blueprint}:`))
    if (same.length > 0) return { state: 'unmapped', summary: `${what} goes by another name: ${same.join(', ')}.` }
    if (record.feeds.length === 0) {
      return { state: 'unmapped', summary: `${what} is here, but no mapping makes an entity of it.` }
    }
  }
  return undefined
}

async function lastDeleted(
  db: Queryable,
  name: Name,
): Promise<{ readonly id: string; readonly entity: ExplainedEntity } | undefined> {
  const { rows } = await db.query<{
    id: string
    blueprint: string
    identifier: string
    title: string | null
    revision: string
    updated_at: Date
    deleted: Json
  }>(
    `SELECT e.id, e.blueprint, e.identifier, e.title, e.revision, e.updated_at, e.deleted FROM entities e
     WHERE e.deleted IS NOT NULL AND NOT e.stub AND e.identifier = $2
       AND e.blueprint IN (SELECT b.identifier FROM blueprints b WHERE $1::text IS NULL OR b.identifier = $1 UNION SELECT $1)
     ORDER BY e.revision DESC LIMIT 1`,
    [name.blueprint ?? null, name.identifier],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    id: row.id,
    entity: {
      reference: reference(row.blueprint, row.identifier),
      title: row.title,
      revision: Number(row.revision),
      updatedAt: row.updated_at.toISOString(),
      failed: [],
      deleted: row.deleted,
    },
  }
}

const reasons: Readonly<Record<string, string>> = {
  absent: 'a complete scan did not list it any more',
  gone: 'the source said that it is gone',
  get: 'the source was asked and answered that it is gone',
  parent: 'the record that it hangs on is gone',
  approved: 'a person approved its deletion',
  person: 'a person took away what had been written',
  withdrawn: 'no record says any more that it exists (a selector, a mapping or its identifier changed)',
}

function why(deleted: Json): string {
  if (!isObject(deleted)) return ''
  const { reason, at } = { reason: deleted['reason'], at: deleted['at'] }
  const when = typeof at === 'string' ? ` at ${at}` : ''
  return `${when}${typeof reason === 'string' ? `: ${reasons[reason] ?? reason}` : ''}`
}

async function pointedAt(db: Queryable, name: Name): Promise<readonly string[]> {
  if (name.blueprint === undefined) return []
  const { rows } = await db.query<{ count: string }>(
    'SELECT count(DISTINCT entity_id) FROM refs WHERE target = $1::bigint AND blueprint = $2 AND identifier = $3',
    [refTarget(name.blueprint, name.identifier).toString(), name.blueprint, name.identifier],
  )
  const count = Number(rows[0]?.count ?? 0)
  return count === 0 ? [] : [`${count} ${count === 1 ? 'entity points' : 'entities point'} at it.`]
}

/** Where we cannot look: it may be there. */
async function blindSpots(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ source: string; kind: string; partition: string; frozen: boolean; reason: string }>(
    `SELECT o.name AS source, k.name AS kind, p.name AS partition, o.state = 'frozen' AS frozen,
       coalesce(p.reason, 'it has never been listed completely') AS reason
     FROM partitions p JOIN kinds k ON k.id = p.kind_id JOIN sources o ON o.id = k.source_id
     WHERE o.name <> $1 AND p.state <> 'dropped' AND (o.state = 'frozen' OR p.state <> 'known' OR p.complete_scan IS NULL)
     ORDER BY 1, 2, 3 LIMIT 10`,
    [MANUAL],
  )
  return rows.map((row) =>
    row.frozen
      ? `${row.source}/${row.kind} ${row.partition}: the source is not in the configuration.`
      : `${row.source}/${row.kind} ${row.partition} is unknown: ${row.reason}.`,
  )
}
