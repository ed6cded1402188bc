import { reference } from '../../model/entity.ts'
import { isObject, type Json } from '../../model/json.ts'
import type { Db, Queryable } from '../db.ts'
import { refTarget } from '../refs.ts'
import { blindSpots } from './blind.ts'
import { latestChanges } from './changes.ts'
import { askedAbout } from './doubts.ts'
import {
  type Evaluate,
  type ExplainedEntity,
  type ExplainedRecord,
  type Explanation,
  type Insight,
  noInsight,
  nothing,
} from './explanation.ts'
import { recordsNamed, successor } from './lookup.ts'
import { refusedSummary, type SetAside, setAsideNamed } from './set-aside.ts'

interface Name {
  /** Undefined: any. */
  readonly blueprint: string | undefined
  readonly identifier: string
}

/** Walks the path backwards: was it an entity, is there a record, is it pointed at, could we have seen it at all? */
export async function explainAbsent(
  db: Db,
  text: string,
  name: Name,
  evaluate: Evaluate,
  insight: Insight = noInsight,
): Promise<Explanation> {
  const deleted = await lastDeleted(db, name)
  const records = await recordsNamed(db, name.identifier, evaluate, insight)
  const blind = await blindSpots(db, name.blueprint, insight)
  const notes = [
    ...(await pointedAt(db, name)),
    ...(await askedAbout(db, name.identifier)),
    ...blind.map(({ text: why }) => why),
  ]
  const candidates = [...new Set(records.flatMap((record) => record.feeds))]
  const found: Pick<Explanation, 'reference' | 'notes' | 'records' | 'candidates'> = {
    reference: text,
    notes,
    records,
    candidates,
  }
  const reason = fromRecords(records, name, await pendingOn(db, records))
  const muted = deleted !== undefined && (await isMuted(db, deleted.id))
  if (!muted && reason !== undefined && reason.state !== 'unmapped') {
    return { ...nothing, ...found, ...reason, ...(deleted === undefined ? {} : { entity: deleted.entity }) }
  }
  const [refused] = await setAsideNamed(db, name.identifier)
  if (refused !== undefined) return { ...nothing, ...found, ...refusedItem(refused) }
  if (deleted !== undefined) {
    const heir = deleted.record === undefined ? undefined : await successor(db, deleted.record)
    if (heir !== undefined && deleted.record !== undefined) {
      const replaced = replacedBy(deleted.record, heir)
      const summary = `${deleted.entity.reference} was deleted${why(deleted.entity.deleted)}. ${replaced.summary}`
      return { ...nothing, ...found, ...replaced, summary, candidates: heir.feeds, entity: deleted.entity }
    }
    return {
      ...nothing,
      ...found,
      state: 'deleted',
      cause: 'deleted',
      next: [`catchment history ${deleted.entity.reference}`, `catchment undo ${deleted.entity.reference}`],
      summary: `${deleted.entity.reference} was deleted${why(deleted.entity.deleted)}.`,
      entity: deleted.entity,
      changes: await latestChanges(db, { entityId: deleted.id }, 10),
    }
  }
  if (reason !== undefined) return { ...nothing, ...found, ...reason }
  const frozen = blind.find((spot) => spot.frozen)
  const unknown = blind.find((spot) => !spot.frozen)
  if (unknown !== undefined) {
    const summary = `${text} was never seen, but parts of the sources cannot be read now, so it may exist. ${unknown.text}`
    return { ...nothing, ...found, state: 'unknown', cause: 'partition_unknown', summary, next: ['catchment status'] }
  }
  if (frozen !== undefined) {
    const summary = `${text} was never seen, but the source ${frozen.source} is frozen: it is not in the configuration, and nobody looks there.`
    const next = ['catchment status', `catchment source remove ${frozen.source}`]
    return { ...nothing, ...found, state: 'frozen', cause: 'source_frozen', summary, next }
  }
  return {
    ...nothing,
    ...found,
    state: 'never_seen',
    cause: 'never_seen',
    summary: `${text} was never seen: no source listed anything that a mapping makes it of.`,
    next: ['catchment sync', `catchment search ${JSON.stringify(name.identifier)}`],
  }
}

export function refusedItem(item: SetAside): Pick<Explanation, 'state' | 'cause' | 'summary' | 'next'> {
  const next = [`catchment quarantine --source ${item.source} --kind ${item.kind}`]
  return { state: 'quarantined', cause: 'item_refused', summary: refusedSummary(item), next }
}

/** It was made again: what goes by its name now is another object. */
export function replacedBy(
  old: { readonly source: string; readonly kind: string; readonly key: string },
  heir: { readonly key: string; readonly feeds: readonly string[] },
): Pick<Explanation, 'state' | 'cause' | 'summary' | 'next'> {
  const now = heir.feeds.length === 0 ? 'makes no entity' : `is ${heir.feeds.join(', ')}`
  return {
    state: 'replaced',
    cause: 'replaced',
    summary: `The ${old.kind} ${old.key} of ${old.source} is gone and was replaced by a new id: ${heir.key}, which ${now}.`,
    next:
      heir.feeds.length === 0
        ? [`catchment explain record:${old.source}/${old.kind}/${heir.key}`]
        : heir.feeds.slice(0, 1).map((feed) => `catchment explain ${feed}`),
  }
}

interface Pending {
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly reason: string
}

async function pendingOn(db: Queryable, records: readonly ExplainedRecord[]): Promise<readonly Pending[]> {
  if (records.length === 0) return []
  const { rows } = await db.query<Pending>(
    `SELECT o.name AS source, k.name AS kind, r.key, h.reason FROM held h JOIN records r ON r.id = h.record_id
     JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
     WHERE h.state = 'pending' AND r.key = ANY($1::text[]) LIMIT 100`,
    [records.map(({ key }) => key)],
  )
  return rows
}

/** The record is here: why does it not make the entity? */
function fromRecords(
  records: readonly ExplainedRecord[],
  name: Name,
  pending: readonly Pending[],
): Pick<Explanation, 'state' | 'summary' | 'cause' | 'next'> | undefined {
  for (const record of records.filter((one) => one.state === 'live')) {
    const what = `The ${record.kind} ${record.key} of ${record.source}`
    const scope = `--source ${record.source} --kind ${record.kind}`
    const look = `catchment record get ${record.source} ${record.kind} ${record.key}`
    const hold = pending.find(
      ({ source, kind, key }) => source === record.source && kind === record.kind && key === record.key,
    )
    if (hold !== undefined) {
      const summary = `${what} says so, but a guard holds the change: ${hold.reason}`
      return { state: 'held', cause: 'held', summary, next: [`catchment held ${scope}`] }
    }
    const quarantined = record.mappings.find((mapping) => mapping.outcome === 'quarantined')
    if (quarantined?.problem !== undefined) {
      const { field, expression, message } = quarantined.problem
      const summary = `${what} is here, but ${quarantined.mapping} failed on it: ${field} (${expression}): ${message}`
      const cause = field === 'selector' ? 'selector_failed' : 'identifier_failed'
      return { state: 'quarantined', cause, summary, next: [`catchment quarantine ${scope}`, look] }
    }
    const deselected = record.mappings.find((mapping) => mapping.outcome === 'deselected')
    if (deselected !== undefined && !record.mappings.some((mapping) => mapping.outcome === 'selected')) {
      const gave = (deselected.parts ?? []).map(({ part, gave: value }) => `${part} is ${value}`).join(', ')
      const because = gave === '' ? '' : ` (${gave})`
      const summary = `${what} is here, but the selector of ${deselected.mapping} is false for it: ${deselected.expression ?? ''}${because}`
      return { state: 'deselected', cause: 'selector_false', summary, next: [look] }
    }
    const same = record.feeds.filter((feed) => name.blueprint === undefined || feed.startsWith(`${name.blueprint}:`))
    if (same.length > 0)
      return {
        state: 'unmapped',
        cause: null,
        next: same.map((one) => `catchment explain ${one}`),
        summary: `${what} goes by another name: ${same.join(', ')}.`,
      }
    if (record.feeds.length === 0) {
      return {
        state: 'unmapped',
        cause: null,
        next: [look],
        summary: `${what} is here, but no mapping makes an entity of it.`,
      }
    }
  }
  return undefined
}

interface Deleted {
  readonly id: string
  readonly entity: ExplainedEntity
  /** The record that owned it. */
  readonly record?: { readonly source: string; readonly kind: string; readonly key: string }
}

async function lastDeleted(db: Queryable, name: Name): Promise<Deleted | undefined> {
  const { rows } = await db.query<{
    id: string
    blueprint: string
    identifier: string
    title: string | null
    revision: string
    updated_at: Date
    deleted: Json
    source: string | null
    kind: string | null
    key: string | null
  }>(
    `SELECT e.id, e.blueprint, e.identifier, e.title, e.revision, e.updated_at, e.deleted, o.name AS source, k.name AS kind, r.key
     FROM entities e LEFT JOIN records r ON r.id = e.anchor LEFT JOIN kinds k ON k.id = r.kind_id LEFT JOIN sources o ON o.id = k.source_id
     WHERE e.deleted IS NOT NULL AND NOT e.stub AND e.identifier = $2
       AND e.blueprint IN (SELECT b.identifier FROM blueprints b WHERE $1::text IS NULL OR b.identifier = $1 UNION SELECT $1)
     ORDER BY e.revision DESC LIMIT 1`,
    [name.blueprint ?? null, name.identifier],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const { source, kind, key } = row
  return {
    id: row.id,
    ...(source === null || kind === null || key === null ? {} : { record: { source, kind, key } }),
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
  unreferenced: 'it was a stub, and nothing refers to it any more',
  replaced: 'it was a stub, and another entity took its name',
  dependency: 'what it depends on was deleted',
  withdrawn: 'no record says any more that it exists (a selector, a mapping or its identifier changed)',
}

function why(deleted: Json): string {
  if (!isObject(deleted)) return ''
  const { reason, at, cause } = { reason: deleted['reason'], at: deleted['at'], cause: deleted['cause'] ?? null }
  const when = typeof at === 'string' ? ` at ${at}` : ''
  if (reason === 'dependency' && isObject(cause) && typeof cause['reason'] === 'string') {
    return `${when} because ${cause['reason']}`
  }
  return `${when}${typeof reason === 'string' ? `: ${reasons[reason] ?? reason}` : ''}${by(deleted['cause'])}`
}

/** By what: ` (delivery repository.deleted d-1)`. */
function by(cause: Json | undefined): string {
  if (!isObject(cause)) return ''
  const said = ['type', 'event', 'delivery', 'scan', 'partition', 'who'].flatMap((name) => {
    const value = cause[name]
    return typeof value === 'string' || typeof value === 'number' ? [String(value)] : []
  })
  return said.length === 0 ? '' : ` (${said.join(' ')})`
}

/** Its record says it, and it comes back with what it depends on. */
async function isMuted(db: Queryable, entityId: string): Promise<boolean> {
  const { rows } = await db.query('SELECT FROM muted WHERE entity_id = $1 LIMIT 1', [entityId])
  return rows.length > 0
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
