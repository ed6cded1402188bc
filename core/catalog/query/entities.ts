import type { SearchQuery } from '../../model/entity.ts'
import { CatchmentError } from '../../sdk/index.ts'
import type { Queryable } from '../db.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import type { Line } from './line/index.ts'
import { condition } from './rules.ts'
import { cursorColumn, following, orderBy, Parameters, type SortKey } from './sql.ts'
import {
  type EntityRow,
  type EntityView,
  entityColumns,
  entityView,
  relationTargets,
  type Targets,
  visible,
} from './view.ts'
import { tsquery } from './words.ts'

export interface EntityQuery {
  readonly blueprint?: string
  /** Words; each must begin a word of the title, the identifier or a searchable property. */
  readonly q?: string
  /** A one-line query; its words count like `q`, its order unless `sort` is given. */
  readonly line?: Line
  readonly query?: SearchQuery
  /**
   * `identifier`, `title`, `created_at`, `updated_at` or `properties.NAME`, descending with `-` in front. Default: best
   * match first with `q`, otherwise `identifier`.
   */
  readonly sort?: string
  /** 1 to 1000. */
  readonly limit: number
  readonly cursor?: string
  /** A moment, see `resolveMoment`; read by `listEntitiesAsOf` alone. */
  readonly asOf?: string
  /** Count all that match, too. */
  readonly total?: boolean
}

/** Which entities there are: those of now, or of another moment. */
export interface Scope {
  /** Stands in front of the statement and may define `entities` and `refs` anew. */
  with(parameters: Parameters): string
  targets(db: Queryable, rows: readonly EntityRow[]): Promise<ReadonlyMap<string, Targets>>
}

const today: Scope = {
  with: () => '',
  targets: (db, rows) =>
    relationTargets(
      db,
      rows.map((row) => row.id),
    ),
}

/** Ranking looks at so many matches of a common word; what only matches further down is found by more words or another sort. */
export const candidates = 2000

/** `truncated`: the words match more than was ranked; `total`: so many match. */
export type EntityList = List<EntityView> & { readonly truncated?: true; readonly total?: number }

/** Throws `query_invalid`, `sort_invalid`, `cursor_invalid`. */
export async function listEntities(db: Queryable, query: EntityQuery, scope: Scope = today): Promise<EntityList> {
  const parameters = new Parameters()
  const conditions = conditionsOf(query, parameters)
  const words = wordsOf(query)
  const sort = query.sort ?? query.line?.sort
  if (words === '') return { items: [], ...(query.total === true ? { total: 0 } : {}) }
  const total = query.total === true ? await countEntities(db, scope, query, words) : undefined
  const ranked = words !== undefined && sort === undefined
  let from = 'entities e'
  let sortKeys: readonly SortKey[]
  if (ranked) {
    const text = parameters.add(words)
    const raw = parameters.add((query.q ?? query.line?.raw ?? '').trim())
    from = `(${rankedCandidates(conditions.join(' AND '), text, raw)}) e`
    sortKeys = [{ sql: 'e.rank', type: 'float8', descending: true }, ...nameKeys(false)]
    conditions.length = 0
  } else {
    if (words !== undefined) conditions.push(`e.search @@ to_tsquery('simple', ${parameters.add(words)})`)
    sortKeys = sorting(sort ?? 'identifier', parameters)
  }

  const { limit, cursor, total: _counted, ...shape } = query
  if (cursor !== undefined) {
    conditions.push(following(sortKeys, decodeCursor(shape, cursor, sortKeys.length), parameters))
  }
  const { rows } = await db.query<EntityRow & { cursor: string[]; found?: string }>(
    `${scope.with(parameters)} SELECT ${entityColumns}, ${cursorColumn(sortKeys)}${ranked ? ', e.found' : ''}
     FROM ${from} WHERE ${conditions.join(' AND ') || 'true'} ORDER BY ${orderBy(sortKeys)} LIMIT ${limit + 1}`,
    parameters.values,
  )
  const targets = await scope.targets(db, rows)
  const list = page(
    rows,
    limit,
    (row) => entityView(row, targets.get(row.id)),
    (last) => encodeCursor(shape, last.cursor),
  )
  return {
    ...list,
    ...(total === undefined ? {} : { total }),
    ...(Number(rows[0]?.found ?? 0) > candidates ? { truncated: true } : {}),
  }
}

function conditionsOf(query: EntityQuery, parameters: Parameters): string[] {
  const conditions = [visible]
  if (query.blueprint !== undefined) conditions.push(`e.blueprint = ${parameters.add(query.blueprint)}`)
  if (query.query !== undefined) conditions.push(condition(query.query, parameters))
  if (query.line !== undefined) conditions.push(query.line.condition(parameters))
  return conditions
}

/** A tsquery; undefined: none were asked for; empty: what was asked for has no word, and nothing matches it. */
function wordsOf({ q, line }: EntityQuery): string | undefined {
  const words = q === undefined ? undefined : tsquery(q)
  if (words === '' || line?.words === undefined) return words
  return words === undefined || line.words === '' ? line.words : `${words} & ${line.words}`
}

async function countEntities(
  db: Queryable,
  scope: Scope,
  query: EntityQuery,
  words: string | undefined,
): Promise<number> {
  const parameters = new Parameters()
  const conditions = conditionsOf(query, parameters)
  if (words !== undefined) conditions.push(`e.search @@ to_tsquery('simple', ${parameters.add(words)})`)
  const { rows } = await db.query<{ total: string }>(
    `${scope.with(parameters)} SELECT count(*) AS total FROM entities e WHERE ${conditions.join(' AND ')}`,
    parameters.values,
  )
  return Number(rows[0]?.total ?? 0)
}

/** The exact name is among the candidates however common its words are; it goes first, then a title that is the text. */
function rankedCandidates(conditions: string, words: string, raw: string): string {
  return `
    WITH matches AS MATERIALIZED (
      SELECT e.id FROM entities e WHERE e.search @@ to_tsquery('simple', ${words}) AND ${conditions} LIMIT ${candidates + 1}
    )
    SELECT ${entityColumns}, (SELECT count(*) FROM matches) AS found,
      (CASE WHEN lower(e.identifier) = lower(${raw}::text) THEN 3 WHEN lower(e.title) = lower(${raw}::text) THEN 2
        WHEN right(lower(e.identifier), length(${raw}) + 1) = '/' || lower(${raw}::text) THEN 1 ELSE 0 END
        + ts_rank(e.search, to_tsquery('simple', ${words})))::float8 AS rank
    FROM entities e WHERE e.id IN (
      SELECT id FROM matches UNION
      SELECT e.id FROM blueprints b JOIN entities e ON e.blueprint = b.identifier AND e.identifier = ${raw}::text
      WHERE ${conditions}
    )`
}

function nameKeys(descending: boolean): readonly SortKey[] {
  return [
    { sql: 'e.blueprint', type: 'text', descending },
    { sql: 'e.identifier', type: 'text', descending },
  ]
}

function sorting(sort: string, parameters: Parameters): readonly SortKey[] {
  const descending = sort.startsWith('-')
  const name = descending ? sort.slice(1) : sort
  if (name.startsWith('properties.')) {
    const property = `(e.properties -> ${parameters.add(name.slice(11))}::text)`
    return [
      // Entities without a value come last in both directions.
      { sql: `(coalesce(${property}, 'null') = 'null'::jsonb)`, type: 'boolean', descending: false },
      { sql: `coalesce(${property}, 'null')`, type: 'jsonb', descending },
      ...nameKeys(descending),
    ]
  }
  switch (name) {
    case 'identifier':
      return nameKeys(descending)
    case 'title':
      return [
        { sql: `lower(coalesce(e.title, e.identifier)) COLLATE "C"`, type: 'text', descending },
        ...nameKeys(descending),
      ]
    case 'created_at':
    case 'updated_at':
      return [{ sql: `e.${name}`, type: 'timestamptz', descending }, ...nameKeys(descending)]
    default:
      throw new CatchmentError(`Entities cannot be sorted by "${name}".`, {
        code: 'sort_invalid',
        status: 400,
        hint: 'Sort by identifier, title, created_at, updated_at or properties.NAME, with - in front for descending.',
        details: { parameter: 'sort' },
      })
  }
}
