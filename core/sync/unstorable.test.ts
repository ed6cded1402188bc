import { afterEach, describe, expect, it } from 'vitest'
import { parseJson } from '../sdk/index.ts'
import { deepestValue, longestName } from './limits.ts'
import { runScan } from './scan.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 50 }, clock))
  rig.source.fill(4)
  rigs.push(rig)
  await runScan(await rig.session(), 'thing')
  return rig
}

// Random enough that the database cannot compress it below what an index takes.
const long = Array.from({ length: 4000 }, (_, index) => ((index * 7919) % 36_000).toString(36)).join('')
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
const item = (id: string, fields: string): string =>
  `{"id":"${id}","name":"name-${id}","color":"red","hidden":false,"version":900000${fields}}`

/** Ids as they stand in JSON, and other fields, of items that cannot be read or kept; what is said about each. */
const refused: readonly (readonly [id: string, fields: string, message: string])[] = [
  [long, '', 'the key has'],
  ['k\\u0000', '', 'NUL character'],
  ['k\\ud800', '', 'half of a surrogate pair'],
  ['n000', `,"color":${nested(100_000)}`, 'nested too deeply'],
]
/** Items of which a mapping makes what cannot be kept, with the field. */
const marked: readonly (readonly [id: string, fields: string, field: string])[] = [
  ['n000', `,"name":"${long}"`, 'identifier'],
  ['n001', `,"color":${nested(900)}`, 'properties.color'],
  ['n002', `,"color":${nested(deepestValue + 1)}`, 'properties.color'],
]
/** Of which n003 changes beside them. */
const after = { 'name-n000': 'red', 'name-n001': 'red', 'name-n002': 'red', 'name-n003': 'blue' }

async function expectProblems(rig: Rig): Promise<void> {
  const found = await rig.query<{ field: string; code: string }>(
    `SELECT problem ->> 'field' AS field, problem ->> 'code' AS code FROM quarantine
     UNION ALL SELECT f ->> 'field', f ->> 'code' FROM entities, jsonb_array_elements(failed) f WHERE deleted IS NULL ORDER BY 1`,
  )
  expect(found).toEqual(marked.map(([, , field]) => ({ field, code: 'value_unstorable' })))
}

describe('in a listing', () => {
  async function scan(rig: Rig, items: readonly (readonly [string, string, string])[]): Promise<readonly unknown[]> {
    rig.source.put('n003', { color: 'blue' })
    const named = items.map(([id]) => id)
    rig.source.onPage = ({ cursor }) => {
      const others = [...rig.source.things.values()].filter(({ id }) => !named.includes(id))
      const odd = items.map(([id, fields]) => parseJson(item(id, fields)))
      return { cursor, items: [...odd, ...others.map((thing) => rig.source.body(thing))] }
    }
    await runScan(await rig.session(), 'thing')
    expect(await rig.catalog()).toEqual(after)
    return rig.query('SELECT state, failed::int FROM scans ORDER BY id DESC LIMIT 1')
  }

  it('what cannot be read or kept is set aside, said to be so, and its neighbours go on', async () => {
    const rig = await rigOf()
    expect(await scan(rig, refused)).toEqual([{ state: 'complete', failed: refused.length }])
    const said = rig.logs.filter((line) => line.includes('item set aside'))
    expect(said).toHaveLength(refused.length)
    for (const [index, [, , message]] of refused.entries()) expect(said[index]).toContain(message)
  })

  it('what a mapping makes and cannot be kept leaves what was said before, with the problem', async () => {
    const rig = await rigOf()
    expect(await scan(rig, marked)).toEqual([{ state: 'complete', failed: 0 }])
    await expectProblems(rig)
  })

  it('text that no column holds is shown with another character, and the record keeps its own', async () => {
    const rig = await rigOf()
    rig.source.put('n001', { color: 'a\0b\ud800c' })
    rig.source.put('n002', { name: long.slice(0, longestName) })
    await runScan(await rig.session(), 'thing')
    expect(await rig.catalog()).toMatchObject({ 'name-n001': 'a\uFFFDb\uFFFDc', [long.slice(0, longestName)]: 'red' })
    const [row] = await rig.query<{ body: Buffer }>(
      `SELECT b.body FROM bodies b JOIN records r ON r.id = b.record_id WHERE r.key = 'n001'`,
    )
    expect(row?.body.toString()).toContain(String.raw`a\u0000b\ud800c`)
  })
})

describe('in deliveries', () => {
  /** With the body, and for each that is named by its key alone another one that says no more than that. */
  async function deliver(
    rig: Rig,
    items: readonly (readonly [string, string, string])[],
    bare: boolean,
  ): Promise<void> {
    const session = await rig.session()
    const accept = (id: string, key: string, rest: string): Promise<unknown> => {
      const text = `{"signals":[{"type":"stale","kind":"thing","key":"${key}","partition":"north"${rest}}]}`
      return rig.store.accept(session.source.id, { id, event: 'thing', headers: {}, body: Buffer.from(text) })
    }
    for (const [index, [key, fields]] of items.entries()) {
      const body = item(key, fields)
      await accept(`whole ${index}`, key, `,"version":"900000","whole":true,"body":${body}`)
      if (bare && fields === '') await accept(`bare ${index}`, key, '')
    }
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'n003', partition: 'north' })
    rig.source.put('n003', { color: 'blue' })
    await rig.settle(session)
    expect(await rig.catalog()).toEqual(after)
  }
  const dead = `SELECT delivery, error ->> 'message' AS message FROM inbox WHERE state = 'dead' ORDER BY id`

  it('what cannot be read or kept sets its delivery aside; the others are applied', async () => {
    const rig = await rigOf()
    await deliver(rig, refused, true)
    const found = await rig.query<{ delivery: string; message: string }>(dead)
    expect(found.map(({ delivery }) => delivery)).toEqual(
      refused.flatMap(([, fields], index) => [`whole ${index}`, ...(fields === '' ? [`bare ${index}`] : [])]),
    )
    for (const { delivery, message } of found) {
      expect(message).toContain(refused[Number(delivery.split(' ')[1])]?.[2])
    }
  })

  it('what a mapping makes and cannot be kept leaves what was said before, with the problem', async () => {
    const rig = await rigOf()
    await deliver(rig, marked, false)
    await expectProblems(rig)
    expect(await rig.query(dead)).toEqual([])
  })
})
