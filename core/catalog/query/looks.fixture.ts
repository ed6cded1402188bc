import type { Replay } from '../../testkit/replay.ts'
import type { Db } from '../db.ts'
import type { Document } from '../document.ts'
import { documentFrom } from '../entities.ts'
import { feedBounds, formatPosition } from './changes.ts'
import { type EntityQuery, listEntities } from './entities.ts'
import { listEntitiesAsOf } from './entities-as-of.ts'
import { getEntity } from './entity.ts'
import { readSnapshot } from './snapshot.ts'
import { getEntityAsOf } from './then.ts'
import type { EntityView } from './view.ts'

/** Identifiers of the services that the tests make. */
export const names = ['a', 'b', 'c', 'd', 'e']

const queries: readonly Omit<EntityQuery, 'limit'>[] = [
  {},
  { sort: '-updated_at' },
  { sort: 'properties.language' },
  { sort: 'created_at', blueprint: 'service' },
  { q: 'thing' },
  { q: 'needle blue' },
  { q: 'a' },
  { query: { combinator: 'and', rules: [{ property: 'relations.uses', operator: '=', value: 'a' }] } },
  { query: { combinator: 'or', rules: [{ property: 'note', operator: '=', value: 'needle' }] } },
]

async function listAll(read: (query: EntityQuery) => ReturnType<typeof listEntities>): Promise<unknown> {
  const found: (readonly EntityView[])[] = []
  for (const query of queries) {
    const items: EntityView[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await read({ ...query, limit: 2, ...(cursor === undefined ? {} : { cursor }) })
      items.push(...page.items)
      cursor = page.next
      if (cursor === undefined) break
    }
    found.push(items)
  }
  return found
}

/** What a reader would have kept, had he read everything then. */
export async function look(db: Db): Promise<{
  position: string
  lists: unknown
  entities: readonly unknown[]
  references: readonly string[]
}> {
  const { end } = await feedBounds(db)
  const entities = []
  for (const name of names) {
    const found = await getEntity(db, 'service', name)
    if (found === undefined) entities.push(undefined)
    else {
      const { aliases: _, held: __, dangling: ___, links, ...rest } = found
      entities.push({ ...rest, links: { out: links.out } })
    }
  }
  return {
    position: formatPosition(end),
    lists: await listAll((query) => listEntities(db, query)),
    entities,
    references: [...(await catalog(db)).keys()].toSorted(),
  }
}

/** As it is now, with relations as they are said. */
export async function catalog(db: Db): Promise<ReadonlyMap<string, Document>> {
  const { rows } = await db.query<Parameters<typeof documentFrom>[0] & { name: string }>(
    `SELECT blueprint || ':' || identifier AS name, title, team, properties, relations, failed
     FROM entities WHERE deleted IS NULL AND NOT stub`,
  )
  return new Map(rows.map((row) => [row.name, documentFrom(row)]))
}

export async function readInto(db: Db, into: Replay, asOf?: string): Promise<{ into: Replay; position: string }> {
  let position = ''
  await readSnapshot(db, asOf === undefined ? {} : { asOf }, async (part) => {
    position = part.type === 'entity' ? position : part.position
    if (part.type !== 'entity') return
    const { title, team, properties, relations, failed } = part
    into.put(part.id, part.reference, { title, team, properties, relations, failed })
  })
  return { into, position }
}

export async function lookBack(db: Db, asOf: string): Promise<{ lists: unknown; entities: readonly unknown[] }> {
  const entities = []
  for (const name of names) {
    const found = await getEntityAsOf(db, { blueprint: 'service', identifier: name }, asOf)
    if (found === undefined) entities.push(undefined)
    else {
      const { asOf: _, ...rest } = found
      entities.push(rest)
    }
  }
  return { lists: await listAll((query) => listEntitiesAsOf(db, { ...query, asOf })), entities }
}
