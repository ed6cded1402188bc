import type { Problem } from '../model/problem.ts'
import { difference, type Patch, type Told } from './document.ts'
import { documentFrom, type StoredDocument } from './entities.ts'
import type { Rehearsal } from './rehearsal.ts'

/** What a rehearsal did to the catalog. */
export interface Effect {
  readonly counts: Counts & {
    /** Lines that an apply adds to the change feed: more than entities where one is written in several steps. */
    readonly feed: number
  }
  readonly blueprints: readonly BlueprintEffect[]
  readonly failures: Marks
  readonly quarantines: Marks
  /** What the guard keeps from being taken away. */
  readonly held: { readonly count: number; readonly samples: readonly HeldSample[] }
}

export interface Counts {
  readonly creates: number
  readonly changes: number
  readonly renames: number
  readonly withdrawals: number
}

export interface BlueprintEffect extends Counts {
  readonly blueprint: string
  /** How many entities differ in each field, most first. */
  readonly fields: readonly { readonly field: string; readonly count: number }[]
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly operation: 'create' | 'change' | 'rename' | 'withdrawal'
  readonly reference: string
  readonly title: string | null
  /** Field by field what it was and what it becomes; of a change or a rename. */
  readonly diff?: Patch
}

/** Expressions that fail: of fields (`failures`), or of whatever decides whether something is an entity (`quarantines`). */
export interface Marks {
  readonly added: number
  readonly fixed: number
  readonly samples: readonly { readonly reference: string; readonly problem: Problem }[]
}

export interface HeldSample {
  readonly what: string
  readonly reason: string
  readonly key: string
  readonly entities: readonly string[]
}

/** Of each operation and blueprint. */
const most = 10

/** Net, entity by entity: what it is before against what it is after. */
export async function readEffect(rehearsal: Rehearsal): Promise<Effect> {
  await compareEntities(rehearsal)
  const { db } = rehearsal
  const counts = await db.query<{ blueprint: string; operation: Sample['operation']; count: string }>(
    'SELECT blueprint, operation, count(*) AS count FROM planned GROUP BY 1, 2 ORDER BY 1',
  )
  const feed = await db.query<{ count: string }>('SELECT count(*) AS count FROM pg_temp.changes')
  const fields = await fieldCounts(rehearsal)
  const samples = await samplesOf(rehearsal)
  const blueprints = [...new Set(counts.rows.map(({ blueprint }) => blueprint))].map((blueprint): BlueprintEffect => {
    const mine = counts.rows.filter((row) => row.blueprint === blueprint)
    return {
      blueprint,
      ...countsOf(mine),
      fields: fields.get(blueprint) ?? [],
      samples: samples.get(blueprint) ?? [],
    }
  })
  return {
    counts: { ...countsOf(counts.rows), feed: Number(feed.rows[0]?.count ?? 0) },
    blueprints,
    failures: await failuresOf(rehearsal),
    quarantines: await quarantinesOf(rehearsal),
    held: await heldOf(rehearsal),
  }
}

function countsOf(rows: readonly { readonly operation: Sample['operation']; readonly count: string }[]): Counts {
  const of = (operation: Sample['operation']): number =>
    rows.filter((row) => row.operation === operation).reduce((sum, row) => sum + Number(row.count), 0)
  return { creates: of('create'), changes: of('change'), renames: of('rename'), withdrawals: of('withdrawal') }
}

const shown = (entity: string): string =>
  `(${entity}.id IS NOT NULL AND ${entity}.deleted IS NULL AND NOT ${entity}.stub)`
const document = (entity: string): string =>
  `(${['title', 'team', 'properties', 'relations', 'failed'].map((column) => `${entity}.${column}`).join(', ')}, ${entity}.anchor IS NULL)`

/** Makes the table `planned`: one row for each entity that is other than it was. */
async function compareEntities({ db, real }: Rehearsal): Promise<void> {
  // A commit may only read by keys; this reads everything.
  for (const way of ['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin']) await db.query(`SET LOCAL enable_${way} = on`)
  await db.query('ANALYZE pg_temp.changes')
  await db.query(
    `CREATE TEMP TABLE planned ON COMMIT DROP AS
     SELECT * FROM (
       SELECT c.id, b.anchor IS NULL AS stub, coalesce(b.blueprint, a.blueprint) AS blueprint, coalesce(b.identifier, a.identifier) AS identifier,
         CASE WHEN ${shown('b')} AND NOT ${shown('a')} THEN 'withdrawal'
              WHEN NOT ${shown('b')} AND ${shown('a')} THEN 'create'
              WHEN NOT ${shown('b')} THEN NULL
              WHEN b.identifier <> a.identifier THEN 'rename'
              WHEN ${document('b')} IS DISTINCT FROM ${document('a')} THEN 'change' END AS operation
       FROM (SELECT DISTINCT entity_id AS id FROM pg_temp.changes) c
       LEFT JOIN ${real}.entities b ON b.id = c.id LEFT JOIN pg_temp.entities a ON a.id = c.id) e
     WHERE operation IS NOT NULL`,
  )
  await db.query('CREATE UNIQUE INDEX ON planned (id)')
  await db.query('ANALYZE planned')
}

async function fieldCounts({ db }: Rehearsal): Promise<ReadonlyMap<string, BlueprintEffect['fields']>> {
  const { rows } = await db.query<{ blueprint: string; field: string; count: string }>(
    `SELECT p.blueprint, f.field, count(DISTINCT p.id) AS count FROM planned p JOIN pg_temp.changes c ON c.entity_id = p.id
     CROSS JOIN LATERAL jsonb_object_keys(c.patch) f (field)
     WHERE p.operation IN ('change', 'rename') AND jsonb_typeof(c.patch) = 'object' GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2`,
  )
  const fields = rows.map(({ blueprint, field, count }) => ({ blueprint, field, count: Number(count) }))
  return new Map(
    [...Map.groupBy(fields, ({ blueprint }) => blueprint)].map(([blueprint, list]) => [
      blueprint,
      list.map(({ field, count }) => ({ field, count })),
    ]),
  )
}

type Compared = StoredDocument & { readonly identifier: string; readonly anchor: number | null }

interface Pair {
  readonly operation: Sample['operation']
  readonly blueprint: string
  readonly identifier: string
  readonly before: Compared | null
  readonly after: Compared | null
}

async function samplesOf({ db, real }: Rehearsal): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const { rows } = await db.query<Pair>(
    `SELECT p.operation, p.blueprint, p.identifier, to_jsonb(b) - 'search' AS before, to_jsonb(a) - 'search' AS after
     FROM (SELECT *, row_number() OVER (PARTITION BY blueprint, operation ORDER BY identifier) AS place FROM planned) p
     LEFT JOIN ${real}.entities b ON b.id = p.id LEFT JOIN pg_temp.entities a ON a.id = p.id
     WHERE p.place <= ${most} ORDER BY p.blueprint, p.operation DESC, p.identifier`,
  )
  return Map.groupBy(rows.map(sampleOf), ({ reference }) => reference.slice(0, reference.indexOf(':')))
}

function sampleOf({ operation, blueprint, identifier, before, after }: Pair): Sample {
  const title = (operation === 'withdrawal' ? before?.title : (after?.title ?? before?.title)) ?? null
  const sample = { operation, reference: `${blueprint}:${identifier}`, title }
  if (before === null || after === null || (operation !== 'change' && operation !== 'rename')) return sample
  const content = difference(toldOf(before), toldOf(after))
  const name = operation === 'rename' ? { identifier: [before.identifier, after.identifier] as const } : {}
  return { ...sample, diff: { ...name, ...content } }
}

function toldOf(entity: Compared): Told {
  return entity.anchor === null ? { ...documentFrom(entity), stub: true } : documentFrom(entity)
}

/** A field's mark is the problem without its place in the file, which moves with every line above it. */
async function failuresOf({ db, real }: Rehearsal): Promise<Marks> {
  const marks = (table: string): string =>
    `SELECT e.id, e.blueprint, e.identifier, f.problem, f.problem ->> 'field' AS field FROM planned p JOIN ${table} e ON e.id = p.id
     CROSS JOIN LATERAL jsonb_array_elements(coalesce(e.failed, '[]')) f (problem) WHERE e.deleted IS NULL AND NOT e.stub`
  return readMarks(
    db,
    `SELECT a.*, a.blueprint || ':' || a.identifier AS reference FROM (${marks('pg_temp.entities')}) a
     WHERE NOT EXISTS (SELECT FROM (${marks(`${real}.entities`)}) b WHERE b.id = a.id AND b.field = a.field)`,
    `SELECT FROM (${marks(`${real}.entities`)}) b
     WHERE NOT EXISTS (SELECT FROM (${marks('pg_temp.entities')}) a WHERE b.id = a.id AND b.field = a.field)`,
  )
}

async function quarantinesOf({ db, real }: Rehearsal): Promise<Marks> {
  const missing = (here: string, there: string): string =>
    `FROM ${here}.quarantine q JOIN pg_temp.records r ON r.id = q.record_id JOIN pg_temp.kinds k ON k.id = r.kind_id
     WHERE NOT EXISTS (SELECT FROM ${there}.quarantine o
       WHERE o.record_id = q.record_id AND o.mapping = q.mapping AND o.item = q.item)`
  return readMarks(
    db,
    `SELECT k.name || ' ' || r.key AS reference, q.problem ${missing('pg_temp', real)}`,
    `SELECT ${missing(real, 'pg_temp')}`,
  )
}

async function readMarks(db: Rehearsal['db'], added: string, fixed: string): Promise<Marks> {
  const count = async (of: string): Promise<number> => {
    const { rows } = await db.query<{ count: string }>(`SELECT count(*) AS count FROM (${of}) marks`)
    return Number(rows[0]?.count ?? 0)
  }
  const samples = await db.query<{ reference: string; problem: Problem }>(
    `SELECT reference, problem FROM (${added}) marks ORDER BY problem ->> 'mapping', problem ->> 'field', reference LIMIT ${most}`,
  )
  return { added: await count(added), fixed: await count(fixed), samples: samples.rows }
}

async function heldOf({ db, real }: Rehearsal): Promise<Effect['held']> {
  const fresh = `FROM pg_temp.held h WHERE h.state = 'pending' AND NOT EXISTS (SELECT FROM ${real}.held o
    WHERE o.record_id = h.record_id AND o.what = h.what AND o.state = h.state)`
  const total = await db.query<{ count: string }>(`SELECT count(*) AS count ${fresh}`)
  const { rows } = await db.query<{ what: string; reason: string; key: string; entities: string[] }>(
    `SELECT h.what, h.reason, r.key, ARRAY(SELECT DISTINCT e.blueprint || ':' || e.identifier FROM pg_temp.contributions c
       JOIN pg_temp.entities e ON e.id = c.entity_id WHERE c.record_id = h.record_id) AS entities
     FROM (SELECT * ${fresh} ORDER BY h.id LIMIT ${most}) h JOIN pg_temp.records r ON r.id = h.record_id ORDER BY h.id`,
  )
  return { count: Number(total.rows[0]?.count ?? 0), samples: rows }
}

/** One thing that is taken away: a contribution that is no longer said, or an entity that another takes the name of. */
export interface Withdrawal {
  readonly recordId: bigint
  readonly what: string
  readonly blueprint: string
  readonly identifier: string
}

/** What is held counts: a person may let it go later. A stub is nobody's to keep. After `readEffect`. */
const withdrawalsSql = (real: string): string => `
  SELECT c.record_id, 'contribution ' || c.mapping || '/' || c.item AS what, e.blueprint, e.identifier
  FROM ${real}.contributions c JOIN ${real}.entities e ON e.id = c.entity_id
  WHERE NOT EXISTS (SELECT FROM pg_temp.contributions t
    WHERE t.record_id = c.record_id AND t.mapping = c.mapping AND t.item = c.item)
  UNION
  SELECT h.record_id, h.what, e.blueprint, e.identifier FROM pg_temp.held h
  JOIN pg_temp.contributions c ON c.record_id = h.record_id AND h.what = 'contribution ' || c.mapping || '/' || c.item
  JOIN pg_temp.entities e ON e.id = c.entity_id
  WHERE h.state = 'pending'
  UNION
  SELECT 0, 'entity ' || p.id, p.blueprint, p.identifier FROM planned p WHERE p.operation = 'withdrawal' AND NOT p.stub`

export async function* readWithdrawals({ db, real }: Rehearsal): AsyncGenerator<readonly Withdrawal[]> {
  await db.query(
    `CREATE TEMP TABLE withdrawn ON COMMIT DROP AS SELECT *, row_number() OVER () AS place FROM (${withdrawalsSql(real)}) w`,
  )
  await db.query('CREATE UNIQUE INDEX ON withdrawn (place)')
  for (let after = 0; ; after += page) {
    const { rows } = await db.query<{ record_id: string; what: string; blueprint: string; identifier: string }>(
      'SELECT record_id, what, blueprint, identifier FROM withdrawn WHERE place > $1 AND place <= $2',
      [after, after + page],
    )
    if (rows.length === 0) return
    yield rows.map((row) => ({ ...row, recordId: BigInt(row.record_id) }))
  }
}

const page = 5000

/** What is taken away now and is not in the plan. */
export async function outsideOf(
  { db, real }: Rehearsal,
  plan: bigint,
): Promise<{ readonly count: number; readonly samples: readonly string[] }> {
  const { rows } = await db.query<{ count: string; samples: string[] | null }>(
    `WITH outside AS (
       SELECT DISTINCT w.blueprint || ':' || w.identifier AS reference FROM (${withdrawalsSql(real)}) w
       WHERE NOT EXISTS (SELECT FROM ${real}.plan_withdrawals p
         WHERE p.plan_id = $1 AND p.record_id = w.record_id AND p.what = w.what))
     SELECT count(*) AS count, (SELECT array_agg(reference) FROM (SELECT reference FROM outside ORDER BY 1 LIMIT ${most}) s) AS samples
     FROM outside`,
    [plan],
  )
  return { count: Number(rows[0]?.count ?? 0), samples: rows[0]?.samples ?? [] }
}
