import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Signal } from '../sdk/index.ts'
import { settleDoubts } from './doubts.ts'
import { Stopped } from './errors.ts'
import { settleInbox } from './inbox.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

/** The guard is not what is tested here. */
const guard = { share: 1, minimum: 1000 }
const shapes = [
  { paging: 'stable', versions: true, get: true },
  { paging: 'shifting', versions: true, get: true },
  { paging: 'stable', versions: false, get: true },
  { paging: 'stable', versions: true, get: false },
] as const

const rigs: Rig[] = []
beforeAll(async () => {
  for (const shape of shapes) {
    const make = (clock: () => number) =>
      new TestSource({ ...shape, pageSize: 2, partitions: ['north', 'south'] }, clock)
    const rig = await createRig(make, { runtime: { guard } })
    // An empty listing would be held.
    for (const partition of ['north', 'south']) rig.source.put(`z-${partition}`, { partitions: [partition] })
    rigs.push(rig)
  }
})
afterAll(async () => {
  for (const rig of rigs) await rig.drop()
})

const act = fc.record({
  /** In the middle of which page of the scan, or outside of scans. */
  page: fc.nat(6),
  moment: fc.constantFrom('onPage', 'beforeArrival', 'outside', 'inGet'),
  id: fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5'),
  to: fc.constantFrom('recolor', 'rename', 'remove', 'move', 'back', 'swap'),
  told: fc.constantFrom('body', 'bare', 'lost', 'late'),
  after: fc.constantFrom('settle', 'inbox', 'doubts', 'nothing', 'crash'),
})

it('any interleaving of changes, deliveries, gets, scans and crashes ends in the truth', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(shapes.length - 1), fc.array(act, { maxLength: 10 }), async (which, acts) => {
      const rig = rigs[which]
      if (rig !== undefined) await play(rig, acts)
    }),
    { numRuns: 60 },
  )
}, 300_000)

type Act = typeof act extends fc.Arbitrary<infer Type> ? Type : never

let count = 0

async function play(rig: Rig, acts: readonly Act[]): Promise<void> {
  const { source } = rig
  const late: Signal[] = []
  const waiting = [...acts]
  let stop = new AbortController()
  let session = await rig.session({ signal: stop.signal })

  const change = ({ id, to, told }: Act): void => {
    count += 1
    const before = source.things.get(id)
    let signal: Signal
    if (to === 'remove') {
      if (before === undefined) return
      const version = source.remove(id)
      signal = told === 'bare' ? source.gone(before) : source.gone(before, source.shape.versions ? version : undefined)
    } else {
      const elsewhere = before?.partitions[0] === 'north' ? 'south' : 'north'
      const changes = {
        recolor: { color: `c${count}` },
        rename: { name: `name-${count}` },
        move: { partitions: [elsewhere] },
        back: { color: 'red' },
        swap: { name: source.things.get('k1')?.name === `name-${id}` ? `name-${count}` : `name-${id}` },
      }
      const thing = source.put(id, changes[to])
      signal =
        told === 'bare'
          ? { type: 'stale', kind: 'thing', key: id, partition: thing.partitions[0] ?? '' }
          : source.changed(thing)
      if (to === 'move' && before !== undefined) late.push({ ...signal, partition: before.partitions[0] ?? '' })
    }
    if (told === 'late') late.push(signal)
    else if (told !== 'lost') fresh.push(signal)
  }
  const fresh: Signal[] = []
  const perform = async (each: Act): Promise<void> => {
    change(each)
    await flush()
    if (each.after === 'inbox' || each.after === 'settle') await settleInbox(session)
    if (each.after === 'doubts' || each.after === 'settle') await settleDoubts(session)
    if (each.after === 'crash') stop.abort()
  }
  const flush = async (): Promise<void> => {
    for (const signal of fresh.splice(0)) await rig.deliver(signal)
  }
  const performAt = async (moment: Act['moment'], page?: number): Promise<void> => {
    const index = waiting.findIndex((each) => each.moment === moment && (page === undefined || each.page === page))
    const [each] = index < 0 ? [] : waiting.splice(index, 1)
    if (each !== undefined) await perform(each).catch(ignoreStop)
  }
  source.onPage = async ({ page }) => {
    await performAt('onPage', page)
    return undefined
  }
  source.beforeArrival = ({ page }) => performAt('beforeArrival', page)
  let inGet = false
  source.beforeGetArrives = async () => {
    const index = waiting.findIndex(({ moment }) => moment === 'inGet')
    const [each] = index < 0 || inGet ? [] : waiting.splice(index, 1)
    if (each === undefined) return
    inGet = true
    change(each)
    await flush()
    if (each.after === 'inbox') await settleInbox(session).catch(ignoreStop)
    // A whole scan while the answer is on its way.
    if (each.after === 'settle') await runScan(session, 'thing').catch(ignoreStop)
    inGet = false
  }
  const restart = async (): Promise<void> => {
    if (!stop.signal.aborted) return
    stop = new AbortController()
    session = await rig.session({ signal: stop.signal })
  }
  for (let round = 0; round < 3; round++) {
    await runScan(session, 'thing').catch(ignoreStop)
    await restart()
    const left = waiting.splice(0, waiting.length)
    for (const each of left) {
      if (each.moment === 'outside') await perform(each).catch(ignoreStop).then(restart)
      else waiting.push(each)
    }
    await settleInbox(session).catch(ignoreStop)
    await settleDoubts(session).catch(ignoreStop)
    await restart()
  }
  source.onPage = source.beforeArrival = source.beforeGetArrives = undefined
  // The source rests. What is still on its way arrives in the middle of the one scan that is left, or after it.
  const [some, rest] = [late.filter((_, index) => index % 2 === 0), late.filter((_, index) => index % 2 === 1)]
  source.beforeArrival = async () => {
    const signal = some.pop()
    if (signal === undefined) return
    await rig.deliver(signal)
    await settleInbox(session)
  }
  rig.clock.time += 3_600_000
  await runScan(session, 'thing')
  source.beforeArrival = undefined
  for (const signal of [...some, ...rest]) await rig.deliver(signal)
  await comeToRest(rig, session)
  expect(await rig.catalog()).toEqual(rig.truth())
}

/** Answers what is in doubt; scans only where that was asked for. */
async function comeToRest(rig: Rig, session: Session): Promise<void> {
  for (let round = 0; round < 5; round++) {
    rig.clock.time += 3_600_000
    await rig.settle(session)
    const requested = (await rig.query('SELECT FROM schedules WHERE requested')).length > 0
    const doubts = (await rig.query('SELECT FROM doubts')).length > 0
    if (!requested && !doubts) return
    if (requested) await runScan(session, 'thing')
  }
  throw new Error('it does not come to rest')
}

function ignoreStop(error: unknown): void {
  if (!(error instanceof Stopped)) throw error
}
