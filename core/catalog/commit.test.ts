import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FenceLost, MappingMoved, StaleDecision } from './refusals.ts'
import { freshWorld, liveEntities, now, openWorld, type World } from './store.fixture.ts'

let world: Awaited<ReturnType<typeof freshWorld>>
let other: World
beforeAll(async () => {
  world = await freshWorld()
  other = await openWorld(world.db, { name: 'pagerduty', precedence: 1 })
})
afterAll(() => world.database.drop())

async function entity(name: string) {
  return (await liveEntities(world.db)).find((each) => each.name === name)
}

async function alias(identifier: string): Promise<string | undefined> {
  const { rows } = await world.db.query<{ name: string }>(
    'SELECT e.identifier AS name FROM aliases a JOIN entities e ON e.id = a.entity_id WHERE a.identifier = $1',
    [identifier],
  )
  return rows[0]?.name
}

async function count(table: string, where: string): Promise<number> {
  const { rows } = await world.db.query<{ count: string }>(`SELECT count(*) FROM ${table} WHERE ${where}`)
  return Number(rows[0]?.count)
}

describe('a record', () => {
  test('creates, updates and takes away its entity', async () => {
    const said = {
      identifier: 'plain',
      title: 'A',
      properties: { language: 'go', note: null },
      relations: { owner: 'x' },
    }
    expect(await world.say('plain', [said])).toMatchObject({ created: 1, updated: 0, deleted: 0, renamed: 0 })
    expect(await entity('service:plain')).toMatchObject({
      title: 'A',
      properties: { language: 'go' },
      relations: { owner: 'x' },
    })
    expect(await world.say('plain', [{ ...said, title: 'A2' }])).toMatchObject({ created: 0, updated: 1 })
    const same = await world.say('plain', [{ ...said, title: 'A2' }])
    expect(same).toEqual({ created: 0, updated: 0, deleted: 0, renamed: 0 })
    expect(await world.remove('plain', { reason: 'get' })).toMatchObject({ deleted: 1 })
    expect(await entity('service:plain')).toBeUndefined()
    const { rows } = await world.db.query<{ deleted: unknown; gone: unknown }>(
      `SELECT e.deleted, r.gone FROM entities e JOIN records r ON r.id = e.anchor WHERE e.identifier = 'plain'`,
    )
    const why = { reason: 'get', cause: { type: 'get', reason: 'test' }, at: new Date(now).toISOString() }
    expect(rows).toEqual([{ deleted: why, gone: why }])
  })

  test('that comes back under its old name is a new entity', async () => {
    await world.say('again', [{ identifier: 'again' }])
    const before = await entity('service:again')
    await world.remove('again')
    expect(await world.say('again', [{ identifier: 'again' }])).toMatchObject({ created: 1 })
    expect((await entity('service:again'))?.id).not.toBe(before?.id)
    expect((await world.stored('again')).state).toBe('live')
  })

  test('keeps text that jsonb cannot hold as U+FFFD, and its body as it is', async () => {
    const body = '"\\u0000 \\ud800 1.0"'
    await world.say('odd\0', [{ identifier: 'odd\0', title: 'nul \0 half \ud800', properties: { '\0': ['\udfff'] } }], {
      body,
    })
    expect(await entity('service:odd\uFFFD')).toMatchObject({
      title: 'nul \uFFFD half \uFFFD',
      properties: { '\uFFFD': ['\uFFFD'] },
    })
    const stored = await world.stored('odd\0')
    expect((await world.store.recordById(stored.id))?.body).toBe(body)
  })

  test('is refused when it moved since the decision, and then nothing is written', async () => {
    const first = await world.write('moved', [{ identifier: 'moved' }])
    await world.commit({ writes: [first] })
    await expect(
      world.commit({ writes: [first, await world.write('innocent', [{ identifier: 'innocent' }])] }),
    ).rejects.toThrow(StaleDecision)
    const change = await world.write('moved', [{ identifier: 'moved', title: 'mine' }])
    const removal = await world.removal('moved')
    await world.say('moved', [{ identifier: 'moved', title: 'theirs' }])
    await expect(world.commit({ writes: [change] })).rejects.toThrow(StaleDecision)
    await expect(world.commit({ removals: [removal] })).rejects.toThrow(StaleDecision)
    const third = await world.write('moved', [{ identifier: 'moved', title: 'mine' }])
    const { span } = await world.stored('moved')
    await world.say('moved', [{ identifier: 'moved', title: 'read at the same time' }], { span })
    await expect(world.commit({ writes: [third] })).rejects.toThrow(StaleDecision)
    const { id, hash } = await world.stored('moved')
    const confirmation = { recordId: id, partitionId: world.partitionId, span: await world.span() }
    await expect(world.commit({ confirmations: [{ ...confirmation, hash: '00' }] })).rejects.toThrow(StaleDecision)
    await world.commit({ confirmations: [{ ...confirmation, hash }] })
    expect((await world.stored('moved')).span.end).toBe(confirmation.span.end)
    expect(await world.store.record(world.kindId, 'innocent')).toBeUndefined()
  })

  test('lives as long as one of its presences', async () => {
    const { id: second } = await world.store.savePartition(world.fence, world.kindId, 'labs')
    await world.say('two', [{ identifier: 'two' }], { presences: [world.partitionId, second] })
    expect(await world.remove('two')).toMatchObject({ deleted: 0 })
    await world.say('two', [{ identifier: 'two', title: 'moved on' }], { presences: [second] })
    expect((await world.stored('two')).presences.map(({ ended }) => ended)).toEqual([true, false])
    await expect(world.remove('two')).rejects.toThrow(StaleDecision)
    expect(await world.remove('two', { partitionId: second })).toMatchObject({ deleted: 1 })
  })

  test('moves between partitions in one batch', async () => {
    const { id: second } = await world.store.savePartition(world.fence, world.kindId, 'labs')
    await world.say('mover', [{ identifier: 'mover' }])
    const removal = await world.removal('mover')
    const write = await world.write('mover', [{ identifier: 'mover' }], { presences: [second] })
    expect(await world.commit({ writes: [write], removals: [removal] })).toMatchObject({ deleted: 0 })
    expect((await world.stored('mover')).state).toBe('live')
  })
})

describe('a rename', () => {
  test('keeps the entity and leaves an alias until the name is taken', async () => {
    await world.say('r1', [{ identifier: 'old' }])
    const before = await entity('service:old')
    expect(await world.say('r1', [{ identifier: 'new' }])).toMatchObject({ renamed: 1, created: 0, deleted: 0 })
    expect((await entity('service:new'))?.id).toBe(before?.id)
    expect(await alias('old')).toBe('new')
    await world.say('r1', [{ identifier: 'newer' }])
    expect([await alias('old'), await alias('new')]).toEqual(['newer', 'newer'])
    await world.say('r2', [{ identifier: 'old' }])
    expect(await alias('old')).toBeUndefined()
    await world.say('r1', [{ identifier: 'new' }])
    expect([await alias('new'), await alias('newer')]).toEqual([undefined, 'new'])
  })

  test('of several at once works in any order: swaps and chains', async () => {
    for (const [key, name] of [
      ['s1', 'a'],
      ['s2', 'b'],
      ['s3', 'c'],
    ] as const)
      await world.say(key, [{ identifier: name }])
    const ids = new Map(
      await Promise.all(['a', 'b', 'c'].map(async (name) => [name, (await entity(`service:${name}`))?.id] as const)),
    )
    const names = [
      ['s1', 'b'],
      ['s2', 'a'],
      ['s3', 'd'],
    ] as const
    for (const order of [names, names.toReversed()]) {
      const writes = await Promise.all(order.map(([key, name]) => world.write(key, [{ identifier: name }])))
      expect(await world.commit({ writes })).toMatchObject({ renamed: 3, created: 0, deleted: 0 })
      expect((await entity('service:b'))?.id).toBe(ids.get('a'))
      expect((await entity('service:a'))?.id).toBe(ids.get('b'))
      expect((await entity('service:d'))?.id).toBe(ids.get('c'))
      const back = await Promise.all(
        [
          ['s1', 'a'],
          ['s2', 'b'],
          ['s3', 'c'],
        ].map(([key = '', name = '']) => world.write(key, [{ identifier: name }])),
      )
      await world.commit({ writes: back })
    }
    const chain = await Promise.all(
      [
        ['s1', 'b'],
        ['s2', 'c'],
        ['s3', 'e'],
      ].map(([key = '', name = '']) => world.write(key, [{ identifier: name }])),
    )
    expect(await world.commit({ writes: chain })).toMatchObject({ renamed: 3, created: 0, deleted: 0 })
    expect((await entity('service:c'))?.id).toBe(ids.get('b'))
  })

  test('to a name that somebody owns joins that entity and closes the own one', async () => {
    await world.say('j1', [{ identifier: 'joined', title: 'one' }])
    await world.say('j2', [{ identifier: 'alone', properties: { language: 'go' } }])
    expect(await world.say('j2', [{ identifier: 'joined', properties: { language: 'go' } }])).toMatchObject({
      deleted: 1,
      updated: 1,
      renamed: 0,
    })
    expect(await entity('service:joined')).toMatchObject({ title: 'one', properties: { language: 'go' } })
    expect(await world.say('j2', [{ identifier: 'alone' }])).toMatchObject({ created: 1, updated: 1 })
    expect((await entity('service:joined'))?.properties).toEqual({})
  })

  test('takes the owner, not the weak contributions, which stay with the name', async () => {
    await world.say('w1', [{ identifier: 'w', title: 'owner' }])
    await other.say('w2', [{ identifier: 'w', owning: false, properties: { note: 'weak' } }])
    const before = await entity('service:w')
    expect(before).toMatchObject({ title: 'owner', properties: { note: 'weak' } })
    expect(await world.say('w1', [{ identifier: 'w-new', title: 'owner' }])).toMatchObject({ renamed: 1 })
    expect(await entity('service:w-new')).toMatchObject({ id: before?.id, properties: {} })
    // The stub that is left is nothing to a reader, so the old name still leads to the entity.
    expect([await entity('service:w'), await alias('w')]).toEqual([undefined, 'w-new'])
    expect(await world.say('w1', [{ identifier: 'w', title: 'owner' }])).toMatchObject({ renamed: 1 })
    expect(await entity('service:w')).toMatchObject({ id: before?.id, properties: { note: 'weak' } })
    await other.remove('w2')
    expect((await entity('service:w'))?.properties).toEqual({})
  })
})

describe('an entity', () => {
  test('is there while somebody owns it', async () => {
    expect(
      await other.say('e1', [{ identifier: 'owned', owning: false, title: 'weak', relations: { owner: 'x' } }]),
    ).toMatchObject({ created: 0 })
    expect(await entity('service:owned')).toBeUndefined()
    expect(await count('refs', `entity_id IN (SELECT id FROM entities WHERE stub)`)).toBe(0)
    expect(await world.say('e2', [{ identifier: 'owned' }])).toMatchObject({ created: 1 })
    expect(await entity('service:owned')).toMatchObject({ title: 'weak' })
    expect(await world.remove('e2')).toMatchObject({ deleted: 1 })
    expect(await entity('service:owned')).toBeUndefined()
    await other.remove('e1')
    expect(await count('entities', `identifier = 'owned' AND deleted IS NULL`)).toBe(0)
  })

  test('is the merge of its contributions, field by field, whoever came first', async () => {
    await other.say('m2', [{ identifier: 'm', title: 'second', properties: { language: 'ruby', note: 'n' } }])
    await world.say('m1', [{ identifier: 'm', title: 'first', properties: { language: 'go', note: null } }])
    expect(await entity('service:m')).toMatchObject({ title: 'first', properties: { language: 'go', note: 'n' } })
    expect((await other.stored('m2')).drafts[0]?.draft).toMatchObject({
      title: 'second',
      properties: { language: 'ruby', note: 'n' },
    })
    await world.remove('m1')
    expect(await entity('service:m')).toMatchObject({ title: 'second', properties: { language: 'ruby' } })
    expect(await count('contributions', `record_id = ${(await other.stored('m2')).id} AND draft IS NOT NULL`)).toBe(0)
  })

  test('is decided by the highest of those that agree, whichever of them is read', async () => {
    const agreed = ['1', '5', '2'].map((version) =>
      world.write(`v${version}`, [{ identifier: 'v', title: 'agreed' }], { version }),
    )
    await world.commit({ writes: await Promise.all(agreed) })
    await world.say('v4', [{ identifier: 'v', title: 'older than one' }], { version: '4' })
    expect(await entity('service:v')).toMatchObject({ title: 'agreed' })
    await world.say('v6', [{ identifier: 'v', title: 'newer than all' }], { version: '6' })
    expect(await entity('service:v')).toMatchObject({ title: 'newer than all' })
  })

  test('is merged again when the order of sources changes', async () => {
    await world.say('p1', [{ identifier: 'p', title: 'github' }])
    await other.say('p2', [{ identifier: 'p', title: 'pagerduty', properties: { note: 'n' } }])
    expect(await entity('service:p')).toMatchObject({ title: 'github' })
    await world.store.saveSource({ name: 'pagerduty', integration: 'test', precedence: -1 })
    expect(await entity('service:p')).toMatchObject({ title: 'pagerduty', properties: { note: 'n' } })
    const before = await entity('service:p')
    await world.store.saveSource({ name: 'pagerduty', integration: 'test', precedence: 1 })
    expect(await entity('service:p')).toMatchObject({ title: 'github', id: before?.id })
  })

  test('of which hundreds say the same changes once, when one of them says more', async () => {
    const keys = Array.from({ length: 200 }, (_, index) => `h${index}`)
    const said = { identifier: 'hot', title: 'Hot' }
    await world.commit({ writes: await Promise.all(keys.slice(0, 100).map((key) => world.write(key, [said]))) })
    await world.commit({ writes: await Promise.all(keys.slice(100).map((key) => world.write(key, [said]))) })
    const hot = `entity_id = (SELECT id FROM entities WHERE identifier = 'hot' AND deleted IS NULL)`
    expect(await count('contributions', `${hot} AND draft IS NULL`)).toBe(200)
    await world.say('h7', [{ ...said, properties: { note: 'more' } }], { version: '2' })
    expect(await entity('service:hot')).toMatchObject({ title: 'Hot', properties: { note: 'more' } })
    expect((await world.stored('h9')).drafts[0]?.draft).toMatchObject({ title: 'Hot', properties: {} })
    await world.say('h8', [{ identifier: 'hot', title: 'Newest' }], { version: '3' })
    expect(await entity('service:hot')).toMatchObject({ title: 'Newest', properties: { note: 'more' } })
    await world.say('h7', [said], { version: '4' })
    expect(await entity('service:hot')).toMatchObject({ title: 'Hot', properties: {} })
  })
})

describe('the rest of the batch', () => {
  test('a lost lease or an old mapping writes nothing', async () => {
    const write = await world.write('fenced', [{ identifier: 'fenced' }])
    await expect(world.commit({ writes: [write], mappingId: 99 })).rejects.toThrow(MappingMoved)
    await expect(world.commit({ writes: [write], fence: { ...world.fence, token: 99n } })).rejects.toThrow(FenceLost)
    expect(await world.store.record(world.kindId, 'fenced')).toBeUndefined()
  })

  test('quarantine is replaced with the record, and a problem that stays keeps its date', async () => {
    const problem = {
      code: 'expression_failed',
      mapping: 'repository',
      field: 'identifier',
      expression: '.x',
      message: 'no',
    } as const
    const quarantined = [{ mapping: 'repository', item: '0', problem }]
    await world.say('q', [], { quarantined, hash: '01'.repeat(16) })
    await world.commit({
      now: now + 60_000,
      writes: [
        await world.write('q', [], { quarantined: [...quarantined, { mapping: 'repository', item: '1', problem }] }),
      ],
    })
    const { rows } = await world.db.query<{ item: string; since: Date }>(
      'SELECT item, since FROM quarantine ORDER BY item',
    )
    expect(rows.map(({ since }) => since.getTime())).toEqual([now, now + 60_000])
    await world.say('q', [{ identifier: 'q' }])
    expect(await count('quarantine', 'true')).toBe(0)
  })

  test('the guard remembers what was taken in the last 24 hours, and the highest number', async () => {
    const fresh = await openWorld(world.db, { name: 'guarded' })
    const hour = 3_600_000
    for (const key of ['1', '2', '3', '4']) await fresh.say(key, [{ identifier: `g${key}` }])
    await fresh.commit({ removals: [await fresh.removal('1'), await fresh.removal('2', { reason: 'approved' })] })
    await fresh.commit({ now: now + hour, taken: { contributions: 2, nulled: { language: 3 } } })
    await fresh.commit({ now: now + hour, taken: { contributions: 0, nulled: { language: 1, note: 1 } } })
    expect(await fresh.store.guardWindow(fresh.kindId, now + hour)).toEqual({
      high: 4,
      live: 2,
      removed: 3,
      nulled: { language: 4, note: 1 },
    })
    expect(await fresh.store.guardWindow(fresh.kindId, now + 26 * hour)).toEqual({
      high: 2,
      live: 2,
      removed: 0,
      nulled: {},
    })
  })

  test('holds are placed once, settled, and dissolved with their record', async () => {
    await world.say('held', [{ identifier: 'held' }])
    const { id: recordId } = await world.stored('held')
    const hold = { recordId, partitionId: world.partitionId, what: 'presence', reason: 'over the limit' }
    await world.commit({ holds: [hold, { recordId, what: 'contribution repository/0', reason: 'deselected' }] })
    await world.commit({ holds: [hold] })
    expect((await world.stored('held')).holds.map(({ what, state }) => [what, state])).toEqual([
      ['presence', 'pending'],
      ['contribution repository/0', 'pending'],
    ])
    await world.db.query(
      `UPDATE held SET state = 'approved', decided_by = 'ann' WHERE record_id = $1 AND what = 'presence'`,
      [recordId],
    )
    const [approved] = await world.store.approvedHolds(world.kindId, { after: 0n, limit: 9 })
    expect(approved).toMatchObject({ recordId, partitionId: world.partitionId, what: 'presence', by: 'ann' })
    await world.commit({
      removals: [await world.removal('held', { reason: 'approved', confirmed: approved?.confirmed ?? 0n })],
      settledHolds: [{ recordId, what: 'presence', partitionId: world.partitionId, state: 'released' }],
    })
    expect((await world.stored('held')).holds).toEqual([])
    expect(await count('held', `record_id = ${recordId} AND state = 'dissolved'`)).toBe(1)
  })

  test('an old search vector and old refs are made anew when the blueprint changed, without a change for readers', async () => {
    const fresh = await openWorld(world.db, { name: 'derived', precedence: -1 })
    await fresh.say('1', [
      { identifier: 'derived', title: 'T', properties: { note: 'needle' }, relations: { owner: 'x' } },
    ])
    const before = await entity('service:derived')
    const blueprint = {
      identifier: 'service',
      schema: { properties: {} },
      relations: { owner: { target: 'person' } },
      searchable: [],
    }
    const mappingId = await fresh.store.activateMapping(fresh.sourceId, {
      hash: 'derived 2',
      content: {},
      blueprints: [blueprint],
    })
    const write = await fresh.write('1', [
      { identifier: 'derived', title: 'T', properties: { note: 'needle' }, relations: { owner: 'x' } },
    ])
    expect(await fresh.commit({ mappingId, writes: [write] })).toEqual({
      created: 0,
      updated: 0,
      deleted: 0,
      renamed: 0,
    })
    expect(await entity('service:derived')).toEqual(before)
    expect(await count('refs', `entity_id = ${before?.id} AND blueprint = 'person'`)).toBe(1)
    expect(await count('entities', `id = ${before?.id} AND search @@ 'needle'::tsquery`)).toBe(0)
  })
})
