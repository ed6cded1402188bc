import { afterEach, describe, expect, it } from 'vitest'
import type { Store } from '../catalog/store.ts'
import type { StoredPage } from '../catalog/stored.ts'
import { around, Remembered } from './remembered.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

let rig: Rig | undefined
afterEach(() => rig?.drop())

/** Notes how much each method has answered at most. */
function measured(store: Store, most: Map<string, number>): Store {
  return new Proxy(store, {
    get(inner, name: keyof Store) {
      const method = inner[name] as (...asked: readonly unknown[]) => Promise<unknown>
      return async (...asked: readonly unknown[]) => {
        const answer = await method(...asked)
        const size = Array.isArray(answer) ? answer.length : 1
        most.set(name, Math.max(most.get(name) ?? 0, size))
        return answer
      }
    },
  })
}

describe('what the engine holds of a partition', () => {
  it('is a batch at a time, however much of it vanishes, is held, comes back, or is let go', {
    timeout: 60_000,
  }, async () => {
    rig = await createRig(new TestSource({ pageSize: 50, versions: false }))
    const { source } = rig
    source.fill(700)
    const most = new Map<string, number>()
    const store = measured(rig.store, most)
    const scan = async (): Promise<Session> => {
      const session = await (rig as Rig).session({ store, engine: { sweepBatch: 100 } })
      await runScan(session, 'thing')
      await (rig as Rig).settle(session)
      return session
    }
    await scan()
    const ids = [...source.things.keys()]
    for (const id of ids.slice(0, 650)) source.invisible.add(id)
    await scan()
    expect(await rig.holds()).toHaveLength(650)
    expect(Object.keys(await rig.catalog())).toHaveLength(700)
    for (const id of ids.slice(0, 600)) source.invisible.delete(id)
    await scan()
    expect((await rig.holds()).filter((hold) => hold.endsWith('dissolved'))).toHaveLength(600)
    for (const id of ids.slice(650)) source.invisible.add(id)
    await rig.query(`UPDATE held SET state = 'approved', decided_by = 'ann' WHERE state = 'pending'`)
    await scan()
    for (const id of ids.slice(0, 100)) source.remove(id)
    await scan()
    expect(Object.keys(await rig.catalog())).toHaveLength(500)
    const answered = Object.fromEntries(most)
    expect(answered).toMatchObject({ missing: 100, seenHolds: 500 })
    expect(answered['approvedHolds']).toBeLessThanOrEqual(500)
  })

  it('is a few of the pages that it knows, wherever the listing is', async () => {
    const of = (page: number): StoredPage => ({
      page,
      cursor: `${page}`,
      next: `${page + 1}`,
      validator: 'v',
      items: 1,
    })
    let [most, asked] = [0, 0]
    const store = {
      validPages: (_: number, from: number, limit: number) => {
        asked += 1
        most = Math.max(most, limit)
        return Promise.resolve(Array.from({ length: limit }, (__, index) => of(from + index)))
      },
    }
    // Nothing else of a session is used.
    const remembered = new Remembered({ ports: { store } } as unknown as Session, 1)
    for (let number = 0; number < 10_000; number++) {
      await remembered.reach(number)
      expect(remembered.get(`${number}`)?.page).toBe(number)
      expect(remembered.get(`${number + around - 1}`)?.page).toBe(number + around - 1)
      expect(remembered.get(`${number - 3 * around}`)).toBeUndefined()
      expect(remembered.get(`${number + 3 * around}`)).toBeUndefined()
    }
    expect(asked).toBeLessThan(10_000 / around + 2)
    expect(most).toBeLessThanOrEqual(3 * around)
    remembered.forget('9999')
    expect(remembered.get('9999')).toBeUndefined()
  })
})
