import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../../model/json.ts'
import type { Queryable } from '../db.ts'
import { type Document, documentOf } from '../document.ts'
import { byRank } from '../merge.ts'
import type { EntityDetail } from './entity.ts'
import type { ExplainedContribution, ExplainedField, Insight } from './explanation.ts'
import { worst } from './freshness.ts'

interface Row {
  source: string
  kind: string
  key: string
  mapping: string
  item: string
  version: string | null
  precedence: number
  draft: Document | null
  title: string | null
  team: readonly string[]
  properties: Document['properties']
  relations: Document['relations']
}

/** A field as one document has it; undefined: it does not. */
function valueOf(document: Omit<Document, 'failed'>, field: string): Json | undefined {
  if (field === 'title') return document.title ?? undefined
  if (field === 'team') return document.team.length === 0 ? undefined : [...document.team]
  const [family, ...rest] = field.split('.')
  const name = rest.join('.')
  const from = family === 'properties' ? document.properties : document.relations
  // Relations are JSON as they were said.
  return Object.hasOwn(from, name) ? (from[name] as Json) : undefined
}

/** A contribution by its record and mapping. */
export interface Origin {
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly mapping: string
}

/**
 * By field the contribution that its value is of, and of a list that was put together all that gave something, the first
 * in rank first.
 */
export async function originsOf(db: Queryable, entityId: string): Promise<Readonly<Record<string, readonly Origin[]>>> {
  const { ranked, first, fields } = await contributionsTo(db, entityId)
  if (first === undefined) return {}
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = valueOf(first, field)
      const says = ranked.filter(({ document }) => valueOf(document, field) !== undefined)
      const exact = says.find(({ document }) => isDeepStrictEqual(valueOf(document, field), value))
      const from = exact === undefined ? says : [exact]
      return [[field, from.map(({ row: { source, kind, key, mapping } }) => ({ source, kind, key, mapping }))]]
    }),
  )
}

/**
 * Where each field comes from: of the contributions that say what the entity says, the one that ranks first. `contributions`:
 * the explained ones of the entity.
 */
export async function fieldsOf(
  db: Queryable,
  entity: EntityDetail,
  contributions: readonly ExplainedContribution[],
  insight: Insight,
): Promise<readonly ExplainedField[]> {
  const { ranked, first, fields } = await contributionsTo(db, entity.id)
  if (first === undefined) return []
  const owner = ranked.find(({ row }) => contributions.some((one) => one.owning && same(one, row)))
  const named =
    owner === undefined ? [] : [describe('identifier', entity.identifier, owner.row, contributions, insight)]
  return [
    ...named,
    ...fields.flatMap((field) => {
      const value = valueOf(first, field)
      if (value === undefined) return []
      const says = ranked.filter(({ document }) => valueOf(document, field) !== undefined)
      // A list that was united is of all; then the first that gave something of it stands for them.
      const from = says.find(({ document }) => isDeepStrictEqual(valueOf(document, field), value)) ?? says[0]
      return from === undefined ? [] : [describe(field, value, from.row, contributions, insight)]
    }),
  ]
}

function same(one: ExplainedContribution, row: Row): boolean {
  return (
    one.source === row.source &&
    one.kind === row.kind &&
    one.key === row.key &&
    one.mapping === row.mapping &&
    one.item === row.item
  )
}

function describe(
  field: string,
  value: Json,
  row: Row,
  contributions: readonly ExplainedContribution[],
  insight: Insight,
): ExplainedField {
  const partitions = contributions.find((one) => same(one, row))?.partitions.filter(({ present }) => present) ?? []
  const { source, kind, key, mapping, item } = row
  const scans = partitions.flatMap(({ name, scan, scannedAt }) =>
    scan === null ? [] : [`scan ${scan} of ${name}${scannedAt === null ? '' : ` at ${scannedAt}`}`],
  )
  return {
    field,
    value,
    source,
    kind,
    key,
    partitions: partitions.map(({ name }) => name),
    mapping,
    ...insight.about(source)?.place(mapping, item, field),
    confirmedBy: scans.join(', ') || 'no complete scan yet',
    freshness: worst(partitions.map(({ freshness }) => freshness)),
  }
}

async function contributionsTo(db: Queryable, entityId: string) {
  const { rows } = await db.query<Row>(
    `SELECT o.name AS source, k.name AS kind, r.key, c.mapping, c.item, r.version, o.precedence, c.draft,
       e.title, e.team, e.properties, e.relations
     FROM contributions c JOIN entities e ON e.id = c.entity_id JOIN records r ON r.id = c.record_id
     JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
     WHERE c.entity_id = $1::bigint LIMIT 100`,
    [entityId],
    { name: 'contributions_to' },
  )
  const ranked = rows
    .map((row) => ({
      row,
      rank: row,
      document: row.draft ?? documentOf({ ...row, blueprint: '', identifier: '', failed: [] }),
    }))
    .sort(byRank)
  const [first] = rows
  if (first === undefined) return { ranked, first, fields: [] }
  const fields = [
    ...(first.title === null ? [] : ['title']),
    ...(first.team.length === 0 ? [] : ['team']),
    ...Object.keys(first.properties).map((name) => `properties.${name}`),
    ...Object.keys(first.relations).map((name) => `relations.${name}`),
  ]
  return { ranked, first, fields }
}
