import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshDatabase } from '../testkit/database.ts'
import { createStore } from './postgres-store.ts'
import { getBlueprint } from './query/blueprints.ts'
import type { Store } from './store.ts'

let database: Awaited<ReturnType<typeof freshDatabase>>
let store: Store

beforeAll(async () => {
  database = await freshDatabase()
  store = createStore(database.db)
})
afterAll(() => database.drop())

const service = (
  properties: Record<string, { title: string }>,
  relations: Record<string, { target: string }> = {},
) => ({
  identifier: 'service',
  title: Object.keys(properties)[0] ?? '',
  schema: { properties },
  relations,
})

it('a blueprint is what its sources say together, and none takes away what another said', async () => {
  const first = await store.saveSource({ name: 'first', integration: 'test', precedence: 1 })
  const second = await store.saveSource({ name: 'second', integration: 'test', precedence: 2 })
  const activate = (id: number, hash: string, blueprints: readonly ReturnType<typeof service>[]) =>
    store.activateMapping(id, { hash, content: { hash }, blueprints })

  await activate(first.id, 'a', [service({ language: { title: 'Language' } }, { owner: { target: 'team' } })])
  await activate(second.id, 'b', [service({ tier: { title: 'Tier' }, language: { title: 'Weaker' } })])
  expect(await getBlueprint(database.db, 'service')).toMatchObject({
    title: 'language',
    schema: { properties: { language: { title: 'Language' }, tier: { title: 'Tier' } } },
    relations: { owner: { target: 'team' } },
  })

  await activate(second.id, 'c', [])
  const left = await getBlueprint(database.db, 'service')
  expect(left?.schema.properties).toEqual({ language: { title: 'Language' } })
  await activate(first.id, 'd', [])
  expect(await getBlueprint(database.db, 'service')).toBeUndefined()
})
