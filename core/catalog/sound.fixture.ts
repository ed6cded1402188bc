import { expect } from 'vitest'
import type { Db } from './db.ts'
import { type Document, emptyDocument } from './document.ts'
import { documentFrom } from './entities.ts'
import { refsOf, rulesOf } from './refs.ts'

interface Row {
  readonly id: string
  readonly blueprint: string
  readonly identifier: string
  readonly title: string | null
  readonly team: readonly string[]
  readonly properties: Document['properties']
  readonly relations: Document['relations']
  readonly failed: Document['failed'] | null
  readonly stub: boolean
  readonly dead: boolean
  readonly revision: string
}

interface ChangeRow {
  readonly entity_id: string
  readonly revision: string
  readonly operation: string
  readonly identifier: string
  readonly patch: Readonly<Record<string, readonly [unknown, unknown]>> | null
}

export interface SaidContribution {
  /** Source, key and item. */
  readonly id: string
  readonly name: string
  readonly owning: boolean
  readonly document: Document
}

/** Fails unless the catalog is exactly `expected` and every table that tells the same story in other words agrees. */
export async function expectSound(
  db: Db,
  expected: readonly { readonly name: string; readonly document: Document }[],
  said: readonly SaidContribution[],
): Promise<void> {
  const { rows } = await db.query<Row>(
    'SELECT id, blueprint, identifier, title, team, properties, relations, failed, stub, deleted IS NOT NULL AS dead, revision FROM entities ORDER BY id',
  )
  const live = rows.filter((row) => !row.stub && !row.dead)
  const found = new Map(live.map((row) => [nameOf(row), documentFrom(row)]))
  expect(found).toEqual(new Map(expected.map(({ name, document }) => [name, document])))
  await expectContributions(db, rows, said)
  await expectRefs(db, live)
  await expectNames(db, new Set(live.map(nameOf)))
  await expectHistory(db, rows)
  const counts = await db.query(
    'SELECT id FROM kinds k WHERE live <> (SELECT count(*) FROM records r WHERE r.kind_id = k.id AND r.state = $1)',
    ['live'],
  )
  expect(counts.rows).toEqual([])
}

function nameOf({ blueprint, identifier }: { blueprint: string; identifier: string }): string {
  return `${blueprint}:${identifier}`
}

/** Each says what its record said, of the entity it names; only what differs from the entity is kept beside it. */
async function expectContributions(db: Db, rows: readonly Row[], said: readonly SaidContribution[]): Promise<void> {
  const { rows: list } = await db.query<{
    source: string
    key: string
    item: string
    entity_id: string
    owning: boolean
    draft: Partial<Document> | null
  }>(
    `SELECT s.name AS source, r.key, c.item, c.entity_id, c.owning, c.draft FROM contributions c JOIN records r ON r.id = c.record_id
     JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id`,
  )
  const entities = new Map(rows.filter((row) => !row.dead).map((row) => [row.id, row]))
  const found = list.map(({ source, key, item, entity_id, owning, draft }): SaidContribution => {
    const row = entities.get(entity_id)
    if (row === undefined) throw new Error(`${source} ${key} ${item} hangs on entity ${entity_id}, which is not there`)
    const own = draft === null ? documentFrom(row) : { ...emptyDocument, ...draft }
    if (draft !== null) expect(own, `draft of ${source} ${key} ${item}`).not.toEqual(documentFrom(row))
    return { id: `${source} ${key} ${item}`, name: nameOf(row), owning, document: own }
  })
  const byId = (left: SaidContribution, right: SaidContribution) => (left.id < right.id ? -1 : 1)
  expect(found.toSorted(byId)).toEqual(said.toSorted(byId))
  const owned = new Set(list.filter(({ owning }) => owning).map(({ entity_id }) => entity_id))
  for (const [id, row] of entities) expect(owned.has(id), `${nameOf(row)} is owned`).toBe(!row.stub)
  const adrift = await db.query(
    `SELECT FROM entities e WHERE e.deleted IS NULL AND NOT e.stub
       AND NOT EXISTS (SELECT FROM contributions c WHERE c.entity_id = e.id AND c.owning AND c.record_id = e.anchor)`,
  )
  expect(adrift.rows).toEqual([])
  expect(new Set(list.map(({ entity_id }) => entity_id)).size).toBe(entities.size)
}

async function expectRefs(db: Db, live: readonly Row[]): Promise<void> {
  const blueprints = await db.query<{ identifier: string; document: Parameters<typeof rulesOf>[0] }>(
    'SELECT identifier, document FROM blueprints',
  )
  const rules = new Map(blueprints.rows.map(({ identifier, document }) => [identifier, rulesOf(document)]))
  const { rows } = await db.query<{ ref: string }>(
    `SELECT format('%s %s %s %s:%s %s', entity_id, relation, position, blueprint, identifier, target = ref_target(blueprint, identifier)) AS ref FROM refs`,
  )
  const said = live.flatMap((row) => {
    const by = rules.get(row.blueprint)
    const refs = by === undefined ? [] : [...refsOf(row.relations, by)]
    return refs.map((ref) => `${row.id} ${ref.relation} ${ref.position} ${ref.blueprint}:${ref.identifier} t`)
  })
  expect(rows.map(({ ref }) => ref).toSorted()).toEqual(said.toSorted())
}

/** A name leads to one entity: an alias never hides behind a live one. */
async function expectNames(db: Db, live: ReadonlySet<string>): Promise<void> {
  const { rows } = await db.query<{ blueprint: string; identifier: string }>(
    'SELECT blueprint, identifier FROM aliases',
  )
  expect(rows.map(nameOf).filter((name) => live.has(name))).toEqual([])
}

/** Walks the feed backwards from each entity's last state: every step must fit, and the first must be its creation. */
async function expectHistory(db: Db, rows: readonly Row[]): Promise<void> {
  const { rows: changes } = await db.query<ChangeRow>(
    'SELECT entity_id, revision, operation, identifier, patch FROM changes ORDER BY batch, position',
  )
  const byEntity = Map.groupBy(changes, (change) => change.entity_id)
  const real = rows.filter((row) => !row.stub)
  expect([...byEntity.keys()].toSorted()).toEqual(real.map((row) => row.id).toSorted())
  for (const row of real) {
    const history = byEntity.get(row.id) ?? []
    const revisions = history.map(({ revision }) => BigInt(revision))
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => (a < b ? -1 : 1)))
    expect(revisions.at(-1)).toBe(BigInt(row.revision))
    expect(history.map(({ operation }) => operation).filter((operation) => operation === 'created')).toEqual([
      'created',
    ])
    expect(history[0]?.operation).toBe('created')
    expect(history.at(-1)?.operation === 'deleted').toBe(row.dead)
    const state = stateOf(row)
    for (const { patch, identifier } of history.toReversed()) {
      expect(identifier).toBe(state.get('identifier'))
      for (const [field, [before, after]] of Object.entries(patch ?? {})) {
        expect(state.get(field) ?? null, `${field} of ${nameOf(row)}`).toEqual(after)
        state.set(field, before)
      }
    }
  }
}

function stateOf(row: Row): Map<string, unknown> {
  const document = documentFrom(row)
  const state = new Map<string, unknown>([
    ['identifier', row.identifier],
    ['title', document.title],
    ['team', document.team],
    ['failed', document.failed],
  ])
  for (const part of ['properties', 'relations'] as const) {
    for (const [name, value] of Object.entries(document[part])) state.set(`${part}.${name}`, value)
  }
  return state
}
