import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshWorld, liveEntities } from './store.fixture.ts'
import { FenceLost, MappingMoved, StaleDecision } from './store.ts'

let world: Awaited<ReturnType<typeof freshWorld>>
beforeAll(async () => {
  world = await freshWorld()
})
afterAll(() => world.database.drop())

const names = async () => (await liveEntities(world.db)).map(({ name }) => name)

describe('commit', () => {
  test('creates, updates and removes', async () => {
    const created = await world.say('1', [
      { identifier: 'a', title: 'A', properties: { language: 'go', note: null }, relations: { owner: 'x' } },
    ])
    expect(created).toMatchObject({ created: 1, updated: 0, deleted: 0, renamed: 0 })
    expect(await liveEntities(world.db)).toMatchObject([
      { name: 'service:a', title: 'A', properties: { language: 'go' } },
    ])
    const updated = await world.say('1', [{ identifier: 'a', title: 'A2', properties: { language: 'go' } }])
    expect(updated).toMatchObject({ created: 0, updated: 1 })
    expect(await world.say('1', [{ identifier: 'a', title: 'A2', properties: { language: 'go' } }])).toMatchObject({
      updated: 0,
    })
    expect(await world.remove('1')).toMatchObject({ deleted: 1 })
    expect(await names()).toEqual([])
    expect((await world.stored('1')).state).toBe('gone')
  })

  test('renames in place', async () => {
    await world.say('r', [{ identifier: 'old' }])
    const [before] = await liveEntities(world.db)
    expect(await world.say('r', [{ identifier: 'new' }])).toMatchObject({ renamed: 1, created: 0 })
    const [after] = await liveEntities(world.db)
    expect(after).toMatchObject({ id: before?.id, name: 'service:new' })
    await world.remove('r')
  })

  test('many at once', async () => {
    const writes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        world.write(`many${index}`, [
          { identifier: `m${index}`, title: 'x', team: ['a', 'b"c\\'], relations: { uses: ['m1', 'm2'] } },
        ]),
      ),
    )
    expect(await world.commit({ writes })).toMatchObject({ created: 100 })
    const compared = await world.store.compare(world.kindId, world.partitionId, world.mappingId, writes)
    expect(compared.same.size).toBe(100)
    const again = await Promise.all(
      Array.from({ length: 100 }, (_, index) => world.write(`many${index}`, [{ identifier: `n${index}`, title: 'x' }])),
    )
    expect(await world.commit({ writes: again })).toMatchObject({ renamed: 100 })
  })

  test('refuses what moved', async () => {
    const first = await world.write('s', [{ identifier: 's' }])
    await world.commit({ writes: [first] })
    await expect(world.commit({ writes: [first] })).rejects.toThrow(StaleDecision)
    const change = await world.write('s', [{ identifier: 's', title: 'x' }])
    await world.say('s', [{ identifier: 's', title: 'y' }])
    await expect(world.commit({ writes: [change] })).rejects.toThrow(StaleDecision)
    await expect(world.commit({ writes: [await world.write('t', [])], mappingId: 99 })).rejects.toThrow(MappingMoved)
    await expect(
      world.commit({ writes: [await world.write('t', [])], fence: { ...world.fence, token: 99n } }),
    ).rejects.toThrow(FenceLost)
    expect(await world.store.record(world.kindId, 't')).toBeUndefined()
  })
})
