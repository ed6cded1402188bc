import { afterEach, describe, expect, it } from 'vitest'
import type { Json } from '../sdk/index.ts'
import type { SourceRuntime } from './engine.ts'
import { fitKeeping, scanUnkept } from './keep.ts'
import { dropFields, type Keeping, keepLess, keepsMore } from './keep-less.ts'
import { remap } from './remap.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig, testMappings } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const secret = 'hunter2-is-not-for-you'
const dropping: Keeping = { drop: { thing: ['color'] }, hashOnly: () => false }
const hashing: Keeping = { drop: {}, hashOnly: (kind) => kind === 'thing' }

const opened: Rig[] = []
afterEach(async () => {
  for (const rig of opened.splice(0)) await rig.drop()
})

async function open(): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 5 }, clock))
  opened.push(rig)
  rig.source.fill(12)
  return rig
}

/** As a start with this configuration finds it. */
async function started(rig: Rig, keeping: Keeping | undefined, change: Partial<SourceRuntime> = {}): Promise<Session> {
  const runtime =
    keeping === undefined ? change : { connection: keepLess(rig.source.connection, keeping), keeping, ...change }
  const session = await rig.session({ runtime, engine: { applyPending: true } })
  await fitKeeping(session)
  return session
}

/** Whether the text stands anywhere in the database, as text or as bytes. */
async function stored(rig: Rig, text: string): Promise<readonly string[]> {
  const tables = await rig.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
  )
  const hex = Buffer.from(text).toString('hex')
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await rig.query(
      `SELECT FROM "${name}" t WHERE to_jsonb(t)::text LIKE '%' || $1 || '%' OR to_jsonb(t)::text LIKE '%' || $2 || '%'`,
      [text, hex],
    )
    if (rows.length > 0) found.push(name)
  }
  return found.toSorted()
}

describe('a dropped field', () => {
  it('reaches no table, by whichever way it comes', async () => {
    for (const keeping of [undefined, dropping]) {
      const rig = await open()
      rig.source.put('n001', { color: secret })
      const session = await started(rig, keeping)
      await runScan(session, 'thing')
      const runtime = session.runtime
      await rig.deliverAs('d1', [rig.source.changed(rig.source.put('n002', { color: secret }))], runtime)
      await rig.deliverAs('d2', `a poisoned delivery of ${secret}`, runtime)
      await rig.settle(session)
      const found = await stored(rig, secret)
      if (keeping === undefined) expect(found).toEqual(expect.arrayContaining(['bodies', 'entities', 'inbox']))
      else expect(found).toEqual([])
      expect(await rig.query(`SELECT delivery, state FROM inbox ORDER BY id`)).toEqual([
        { delivery: 'd1', state: 'applied' },
        { delivery: 'd2', state: 'dead' },
      ])
    }
  })

  it('goes from what is stored without a call, and comes back with the next scan when it is kept again', async () => {
    const rig = await open()
    rig.source.put('n001', { color: secret })
    const before = await started(rig, undefined)
    await runScan(before, 'thing')
    await rig.deliver(rig.source.changed(rig.source.put('n002', { color: secret })))
    await rig.settle(before)

    rig.source.calls.length = 0
    const session = await started(rig, dropping, { guard: { share: 1, minimum: 12 } })
    expect(await remap(session)).toBe(12)
    expect(rig.source.calls).toEqual([])
    // History keeps what entities said.
    expect(await stored(rig, secret)).toEqual(
      (await stored(rig, secret)).filter((table) => table.startsWith('changes')),
    )
    expect(new Set(Object.values(await rig.catalog()))).toEqual(new Set([null]))
    await runScan(session, 'thing')
    expect(rig.source.calls.filter((call) => call.startsWith('get'))).toEqual([])

    const again = await started(rig, undefined)
    expect(await rig.query('SELECT kind FROM schedules WHERE requested')).toEqual([{ kind: 'thing' }])
    await remap(again)
    await runScan(again, 'thing')
    await rig.settle(again)
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(rig.source.calls.filter((call) => call.startsWith('get'))).toEqual([])
  })
})

describe('a kind of which only hashes are kept', () => {
  it('is mapped as it is seen, and by another mapping with the next scan', async () => {
    const rig = await open()
    const session = await started(rig, hashing)
    await runScan(session, 'thing')
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(await rig.query('SELECT FROM bodies')).toEqual([])
    await runScan(session, 'thing')

    const next = await started(rig, hashing, { mappings: testMappings('2') })
    expect(await remap(next)).toBe(0)
    await scanUnkept(next)
    expect(await rig.query('SELECT kind FROM schedules WHERE requested')).toEqual([{ kind: 'thing' }])
    expect(rig.logs.at(-1)).toContain('needs a scan')
    await runScan(next, 'thing')
    const versions = await rig.query<{ version: Json }>(
      `SELECT DISTINCT properties -> 'version' AS version FROM entities WHERE deleted IS NULL`,
    )
    expect(versions).toEqual([{ version: '2' }])
    expect(await next.ports.store.unmapped(next.source.id, next.mappingId)).toEqual([])
  })

  it('forgets the bodies that it has, and reads them again when they are to be kept', async () => {
    const rig = await open()
    await runScan(await started(rig, undefined), 'thing')
    const session = await started(rig, hashing)
    expect(await rig.query('SELECT FROM bodies')).toEqual([])
    expect(await rig.catalog()).toEqual(rig.truth())
    await runScan(session, 'thing')
    const again = await started(rig, undefined)
    await remap(again)
    await runScan(again, 'thing')
    expect(await rig.query('SELECT FROM bodies')).toHaveLength(12)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('lets go what a person approved once it is seen again', async () => {
    const rig = await open()
    await runScan(await started(rig, hashing), 'thing')
    const narrow = testMappings('2', ({ id }) => id === 'n000')
    const session = await started(rig, hashing, { mappings: narrow })
    await scanUnkept(session)
    await runScan(session, 'thing')
    expect((await rig.holds()).length).toBeGreaterThan(0)
    await rig.query(`UPDATE held SET state = 'approved', decided_by = 'ann', decided_at = now()`)
    await rig.settle(session)
    await runScan(session, 'thing')
    expect(new Set((await rig.holds()).map((hold) => hold.split(' ').at(-1)))).toEqual(new Set(['released']))
    expect(Object.keys(await rig.catalog())).toEqual(['name-n000'])
  })
})

describe('paths', () => {
  it('lead through objects and lists, and to names with dots', () => {
    const body = {
      id: 1,
      owner: { email: 'e', login: 'l' },
      emails: [{ address: 'a', kind: 'k' }, 'x'],
      'a.b': 1,
      a: { b: 2, c: 3 },
    }
    expect(dropFields(body, ['owner.email', 'emails.address', 'a.b', 'none.at.all'])).toEqual({
      id: 1,
      owner: { login: 'l' },
      emails: [{ kind: 'k' }, 'x'],
      a: { c: 3 },
    })
    expect(dropFields(body, ['none'])).toBe(body)
    expect(dropFields(null, ['x'])).toBeNull()
  })

  it('that are dropped no more, and bodies that are kept again, are more than before', () => {
    const drop = (...paths: string[]): string => JSON.stringify({ hash: false, drop: paths })
    expect(keepsMore(undefined, drop('a'))).toBe(false)
    expect(keepsMore(drop('a'), drop('a', 'b'))).toBe(false)
    expect(keepsMore(drop('a', 'b'), drop('a'))).toBe(true)
    expect(keepsMore(JSON.stringify({ hash: true, drop: [] }), undefined)).toBe(true)
  })
})
