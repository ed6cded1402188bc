import { hash } from 'node:crypto'
import type { Blueprint } from '../model/blueprint.ts'
import type { SearchQuery } from '../model/entity.ts'
import { endsOf } from '../model/search.ts'
import { CatchmentError } from '../sdk/index.ts'
import { danglingAgain, type Requirement } from './dangling.ts'
import type { Db, Queryable } from './db.ts'
import { documentFrom, type StoredDocument } from './entities.ts'
import { condition } from './query/rules.ts'
import { Parameters } from './query/sql.ts'
import { refTarget } from './refs.ts'
import { leavesOfEntity } from './searches.ts'

/** Changes looked at, and searches answered, in one transaction. */
const atOnce = { changes: 2000, searches: 50 }
/** Nothing happened but that other mappings or blueprints are active. */
const afresh = 1
/** A relation to more entities than this is a mistake. */
export const mostFound = 10_000

/**
 * Settles what relations lead to, behind the change feed: searches that a changed entity may have entered or left are
 * answered again, and relations that lead nowhere are noted. One at a time, whoever holds the row. Answers how much was
 * done; 0: everything is settled.
 */
export async function settleRelations(db: Db): Promise<number> {
  if ((await unsettled(db)) === 0) return 0
  const looked = await db.transaction((tx) => lookAtChanges(tx))
  if (looked === afresh) await forgetSearches(db)
  const answered = await db.transaction((tx) => answerSearches(tx))
  return looked + answered
}

/** How many changes and searches have not been looked at. */
export async function unsettled(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ behind: string }>(
    `SELECT abs(f.next - 1 - s.seq) + (s.rules = '')::int + (SELECT count(*) FROM searches WHERE due) AS behind FROM settling s, feed f`,
  )
  return Number(rows[0]?.behind ?? 0)
}

interface Place {
  readonly seq: bigint
  readonly head: bigint
  readonly rules: string
}

async function hold(tx: Queryable): Promise<Place> {
  const { rows } = await tx.query<{ seq: string; rules: string }>('SELECT seq, rules FROM settling FOR UPDATE')
  // Read before what is asked about it: what comes later is settled by itself.
  const { rows: feed } = await tx.query<{ head: string }>('SELECT next - 1 AS head FROM feed')
  return { seq: BigInt(rows[0]?.seq ?? 0), head: BigInt(feed[0]?.head ?? 0), rules: rows[0]?.rules ?? '' }
}

async function lookAtChanges(tx: Queryable): Promise<number> {
  const { seq, head, rules } = await hold(tx)
  const required = await requirements(tx)
  const digest = hash('md5', JSON.stringify(required), 'hex')
  if (digest !== rules) {
    await danglingAgain(tx, required, { blueprints: true })
    await tx.query('UPDATE settling SET rules = $1', [digest])
  }
  // A new epoch counts from the start.
  const from = seq > head ? 0n : seq
  if (seq === head) return digest === rules ? 0 : afresh
  const searched = await searchedBlueprints(tx)
  if (searched.length + required.length === 0) return moveTo(tx, head, 0)
  const changes = await changesAfter(tx, from)
  const last = changes.length < atOnce.changes ? head : BigInt(changes.at(-1)?.seq ?? head)
  if (changes.length > 0) await markSearches(tx, changes, new Set(searched))
  await danglingAgain(tx, required, {
    entities: changes.map(({ id }) => id),
    targets: await targetsOf(tx, changes, required),
  })
  return moveTo(tx, last, changes.length)
}

async function moveTo(tx: Queryable, seq: bigint, done: number): Promise<number> {
  await tx.query('UPDATE settling SET seq = $1', [seq.toString()])
  return done
}

async function requirements(tx: Queryable): Promise<readonly Requirement[]> {
  const { rows } = await tx.query<{ identifier: string; document: Blueprint }>(
    `SELECT identifier, document FROM blueprints WHERE document #> '{relations}' @? '$.*.required ? (@ == true)' ORDER BY identifier`,
  )
  return rows.flatMap(({ identifier, document }) =>
    Object.entries(document.relations)
      .filter(([, { required }]) => required === true)
      .map(([relation, { target }]) => ({ blueprint: identifier, relation, target })),
  )
}

async function searchedBlueprints(tx: Queryable): Promise<readonly string[]> {
  const { rows } = await tx.query<{ blueprint: string }>(
    `WITH RECURSIVE each AS (
       (SELECT blueprint FROM searches ORDER BY blueprint LIMIT 1)
       UNION ALL SELECT (SELECT s.blueprint FROM searches s WHERE s.blueprint > each.blueprint ORDER BY s.blueprint LIMIT 1)
       FROM each WHERE each.blueprint IS NOT NULL)
     SELECT blueprint FROM each WHERE blueprint IS NOT NULL`,
  )
  return rows.map(({ blueprint }) => blueprint)
}

interface Changed {
  readonly seq: string
  readonly id: string
  readonly operation: string
  readonly blueprint: string
  readonly identifier: string
  readonly former: string | null
}

async function changesAfter(tx: Queryable, seq: bigint): Promise<readonly Changed[]> {
  const { rows } = await tx.query<Changed>(
    `SELECT b.base + c.position AS seq, c.entity_id AS id, c.operation, c.blueprint, c.identifier,
       CASE WHEN c.operation = 'renamed' THEN c.patch #>> '{identifier,0}' END AS former
     FROM change_batches b JOIN changes c ON c.batch = b.id
     WHERE b.base >= coalesce((SELECT max(base) FROM change_batches WHERE base <= $1::bigint + 1), 0)
       AND b.base + c.position > $1::bigint
     ORDER BY b.base, c.position LIMIT ${atOnce.changes}`,
    [seq.toString()],
  )
  return rows
}

/** Searches that may find one of them now, or that did. */
async function markSearches(tx: Queryable, changes: readonly Changed[], searched: ReadonlySet<string>): Promise<void> {
  const ids = [...new Set(changes.filter(({ blueprint }) => searched.has(blueprint)).map(({ id }) => id))]
  if (ids.length === 0) return
  const { rows } = await tx.query<StoredDocument & { blueprint: string; identifier: string }>(
    `SELECT blueprint, identifier, title, team, properties, relations, failed FROM entities
     WHERE id = ANY ($1::bigint[]) AND deleted IS NULL AND NOT stub`,
    [ids],
  )
  const leaves = new Set(rows.flatMap((row) => leavesOfEntity(row.blueprint, row.identifier, documentFrom(row))))
  await tx.query('UPDATE searches SET due = true WHERE NOT due AND (leaves && $1::bigint[] OR found && $2::bigint[])', [
    [...leaves].map(String),
    ids,
  ])
}

/** Names that came or went: what is required to lead to one of them may dangle now, or no longer. */
async function targetsOf(
  tx: Queryable,
  changes: readonly Changed[],
  required: readonly Requirement[],
): Promise<readonly bigint[]> {
  const wanted = new Set(required.map(({ target }) => target))
  const moved = changes.filter(({ blueprint, operation }) => wanted.has(blueprint) && operation !== 'updated')
  if (moved.length === 0) return []
  const { rows } = await tx.query<{ blueprint: string; identifier: string }>(
    'SELECT blueprint, identifier FROM aliases WHERE entity_id = ANY ($1::bigint[])',
    [moved.map(({ id }) => id)],
  )
  const aliases = rows.map(({ blueprint, identifier }) => refTarget(blueprint, identifier))
  const names = moved.flatMap(({ blueprint, identifier, former }) =>
    [identifier, ...(former === null ? [] : [former])].map((name) => refTarget(blueprint, name)),
  )
  return [...new Set([...names, ...aliases])]
}

async function answerSearches(tx: Queryable): Promise<number> {
  await hold(tx)
  const { rows } = await tx.query<{ id: string; blueprint: string; query: SearchQuery }>(
    `SELECT id, blueprint, query FROM searches WHERE due ORDER BY id LIMIT ${atOnce.searches}`,
  )
  for (const { id, blueprint, query } of rows) {
    const answer = await answerOf(tx, blueprint, query)
    await tx.query('UPDATE searches SET due = false, found = $2::bigint[], problem = $3 WHERE id = $1', [
      id,
      answer.found,
      answer.problem,
    ])
  }
  if (rows.length > 0) await danglingAgain(tx, await requirements(tx), { searches: rows.map(({ id }) => id) })
  return rows.length
}

async function answerOf(
  tx: Queryable,
  blueprint: string,
  query: SearchQuery,
): Promise<{ readonly found: readonly string[]; readonly problem: string | null }> {
  const parameters = new Parameters()
  let where: string
  try {
    where = `e.blueprint = ${parameters.add(blueprint)} AND ${condition(answerable(query), parameters)}`
  } catch (error) {
    if (!(error instanceof CatchmentError)) throw error
    return { found: [], problem: error.message }
  }
  const { rows } = await tx.query<{ id: string }>(
    `SELECT e.id FROM entities e WHERE e.deleted IS NULL AND NOT e.stub AND ${where} ORDER BY e.identifier LIMIT ${mostFound + 1}`,
    parameters.values,
  )
  if (rows.length > mostFound) return { found: [], problem: `The search finds more than ${mostFound} entities.` }
  return { found: rows.map((row) => row.id), problem: null }
}

/** A value that an expression did not find is no value to compare with: it would match everything that lacks the property. */
function answerable({ combinator, rules }: SearchQuery): SearchQuery {
  return {
    combinator,
    rules: rules.map((rule) => {
      if ('rules' in rule) return answerable(rule)
      const { operator, value } = rule
      const ends = operator === 'between' || operator === 'notBetween' ? endsOf(value) : undefined
      const missing = value === null || (ends !== undefined && (ends.from === null || ends.to === null))
      const asks = operator !== 'isEmpty' && operator !== 'isNotEmpty'
      // No entity has an empty identifier.
      return asks && missing ? { property: '$identifier', operator: '=', value: '' } : rule
    }),
  }
}

/** Searches that nothing asks for any more. */
export async function forgetSearches(db: Db): Promise<void> {
  await db.transaction(async (tx) => {
    const unused = 'NOT EXISTS (SELECT FROM refs r WHERE r.search = s.id)'
    const { rows } = await tx.query<{ id: string }>(
      `SELECT id FROM searches s WHERE ${unused} ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED`,
    )
    // Once more: who asked for one before it was locked is seen only now.
    await tx.query(`DELETE FROM searches s WHERE id = ANY ($1::bigint[]) AND ${unused}`, [rows.map(({ id }) => id)])
  })
}
