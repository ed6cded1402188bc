import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GuardWindow, MissingCounts, MissingRow } from '../catalog/stored.ts'
import { guardLimit, guardRoom, guardRoomOf } from './guard.ts'
import { type Fate, type SweepDecision, type SweepInput, sweep } from './sweep.ts'

const rule = { share: 0.25, minimum: 5 }

function window(change: Partial<GuardWindow> = {}): GuardWindow {
  return { high: 100, live: 100, removed: 0, nulled: {}, ...change }
}

function rows(count: number, change: Partial<MissingRow> = {}): MissingRow[] {
  return Array.from({ length: count }, (_, index) => ({
    recordId: BigInt(index),
    key: `k${index}`,
    locator: {},
    confirmed: 5n,
    shown: 4n,
    held: false,
    missedBefore: false,
    ...change,
  }))
}

type Given = Omit<SweepInput, 'missing'> & Omit<MissingCounts, 'open' | 'hidden'> & { missing: readonly MissingRow[] }

/** As the store counts them and the engine decides about each. */
function decide({ missing, seen, live, held, ...given }: Given): SweepDecision & Record<Fate, MissingRow[]> {
  const open = missing.filter((row) => !row.held)
  const { seesSince } = given
  const hidden = open.filter(({ shown }) => seesSince === undefined || shown < seesSince)
  const decision = sweep({ ...given, missing: { open: open.length, hidden: hidden.length, held, seen, live } })
  const fates: Record<Fate, MissingRow[]> = { leave: [], remove: [], ask: [], hold: [], again: [] }
  for (const row of missing) fates[decision.of(row)].push(row)
  // What does not act is not carried out.
  if (!decision.acts) expect(fates.leave).toHaveLength(missing.length)
  if (open.length === 0) expect(decision.acts).toBe(false)
  return { ...decision, ...fates }
}

function input(change: Partial<Given> = {}): Given {
  return {
    held: 0,
    complete: true,
    coverage: 'complete',
    paging: 'stable',
    canAsk: true,
    begin: 10n,
    resumed: false,
    seen: 90,
    live: 100,
    seesSince: 1n,
    missing: rows(3),
    window: window(),
    rule,
    ...change,
  }
}

function shape(change: Partial<Given>): string {
  const { remove, ask, hold, again } = decide(input(change))
  return `${remove.length} removed, ${ask.length} asked, ${hold.length} held, ${again.length} again`
}

describe('sweep', () => {
  it.each([
    ['a complete listing proves absence', {}, '3 removed, 0 asked, 0 held, 0 again'],
    ['an incomplete one proves nothing', { complete: false }, '0 removed, 0 asked, 0 held, 0 again'],
    ['a window proves nothing', { coverage: 'window' }, '0 removed, 0 asked, 0 held, 0 again'],
    ['shifting pages ask', { paging: 'shifting' }, '0 removed, 3 asked, 0 held, 0 again'],
    ['shifting pages, nobody to ask', { paging: 'shifting', canAsk: false }, '0 removed, 0 asked, 0 held, 3 again'],
    [
      'shifting pages, missed twice',
      { paging: 'shifting', canAsk: false, missing: rows(3, { missedBefore: true }) },
      '3 removed, 0 asked, 0 held, 0 again',
    ],
    [
      'shifting pages, missed twice but resumed',
      { paging: 'shifting', canAsk: false, resumed: true, missing: rows(3, { missedBefore: true }) },
      '0 removed, 0 asked, 0 held, 3 again',
    ],
    [
      'where a partition hangs on a record, each that an empty listing lacks is asked about',
      { seen: 0, small: true, missing: rows(2) },
      '0 removed, 2 asked, 0 held, 0 again',
    ],
    [
      'but it is held where nobody can be asked',
      { seen: 0, small: true, canAsk: false, missing: rows(2) },
      '0 removed, 0 asked, 2 held, 0 again',
    ],
    [
      'and the guard counts there, too',
      { seen: 0, small: true, missing: rows(26) },
      '0 removed, 0 asked, 26 held, 0 again',
    ],
    ['an empty listing is held', { seen: 0, missing: rows(2) }, '0 removed, 0 asked, 2 held, 0 again'],
    ['a credential that changed during it', { seesSince: undefined }, '0 removed, 0 asked, 3 held, 0 again'],
    [
      'what was not seen since the credential changed',
      { seesSince: 6n, missing: [...rows(2), ...rows(1, { shown: 7n })] },
      '1 removed, 0 asked, 2 held, 0 again',
    ],
    ['up to the limit', { missing: rows(25) }, '25 removed, 0 asked, 0 held, 0 again'],
    ['above the limit', { missing: rows(26) }, '0 removed, 0 asked, 26 held, 0 again'],
    [
      'above it, shifting: not asked',
      { paging: 'shifting', missing: rows(26) },
      '0 removed, 0 asked, 26 held, 0 again',
    ],
    ['above it with what it held before it was interrupted', { held: 23 }, '0 removed, 0 asked, 3 held, 0 again'],
    ['a slow bleed', { window: window({ removed: 23 }) }, '0 removed, 0 asked, 3 held, 0 again'],
    ['held ones are left alone', { missing: rows(40, { held: true }) }, '0 removed, 0 asked, 0 held, 0 again'],
    [
      'confirmed meanwhile by a delivery',
      { missing: rows(2, { confirmed: 11n }) },
      '0 removed, 2 asked, 0 held, 0 again',
    ],
    [
      'confirmed meanwhile, nobody to ask',
      { canAsk: false, missing: rows(2, { confirmed: 11n }) },
      '0 removed, 0 asked, 0 held, 2 again',
    ],
  ] as const)('%s', (_name, change, expected) => {
    expect(shape(change)).toBe(expected)
  })

  it('never takes away without proof, and loses nobody', () => {
    const row = fc.record({
      recordId: fc.bigInt({ min: 1n, max: 1000n }),
      key: fc.string(),
      locator: fc.constant({}),
      confirmed: fc.bigInt({ min: 0n, max: 20n }),
      shown: fc.bigInt({ min: 0n, max: 20n }),
      held: fc.boolean(),
      missedBefore: fc.boolean(),
    })
    const any = fc.record({
      complete: fc.boolean(),
      coverage: fc.constantFrom('complete', 'window'),
      paging: fc.constantFrom('stable', 'shifting'),
      canAsk: fc.boolean(),
      begin: fc.constant(10n),
      resumed: fc.boolean(),
      small: fc.boolean(),
      seen: fc.nat(5),
      live: fc.nat(200),
      held: fc.nat(10),
      seesSince: fc.option(fc.bigInt({ min: 0n, max: 10n }), { nil: undefined }),
      missing: fc.array(row, { maxLength: 40 }),
      window: fc.record({ high: fc.nat(200), live: fc.nat(200), removed: fc.nat(60), nulled: fc.constant({}) }),
      rule: fc.constant(rule),
    })
    fc.assert(
      fc.property(any, (given: Given) => {
        const { remove, ask, hold, again, reason, removes } = decide(given)
        const open = given.missing.filter((each) => !each.held)
        const named = [...remove, ...ask, ...hold, ...again]
        if (!given.complete || given.coverage === 'window') expect(named).toEqual([])
        else expect(new Set(named)).toEqual(new Set(open))
        expect(named.length).toBe(new Set(named).size)
        for (const each of remove) {
          expect(each.confirmed <= given.begin).toBe(true)
          expect(given.seesSince !== undefined && each.shown >= given.seesSince).toBe(true)
          expect(given.paging === 'stable' || (each.missedBefore && !given.resumed)).toBe(true)
        }
        expect(given.canAsk || ask.length === 0).toBe(true)
        expect(hold.length > 0).toBe(reason !== '' && open.length > 0)
        expect(remove.length === 0 || removes).toBe(true)
        const leaving = remove.length + ask.length
        expect(leaving === 0 || leaving + given.held + given.window.removed <= guardLimit(rule, given.window)).toBe(
          true,
        )
      }),
    )
  })
})

describe('guard', () => {
  it('lets a minimum go from a small catalog and a share from a big one', () => {
    expect(guardLimit(rule, window({ high: 4, live: 4 }))).toBe(5)
    expect(guardLimit(rule, window({ high: 1000, live: 10 }))).toBe(250)
    expect(guardLimit(rule, window({ high: 10, live: 1000 }))).toBe(250)
  })

  it('lets the mapping file lower it, and never raise it', () => {
    const limit = (threshold: number, high: number): number =>
      guardLimit({ ...rule, threshold }, window({ high, live: high }))
    expect([limit(0.1, 20), limit(0, 1000), limit(0.9, 1000), limit(0.29, 100), limit(1, 3)]).toEqual([
      2, 0, 250, 25, 3,
    ])
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(5000), (threshold, high) => {
        const [lowered, without] = [limit(threshold, high), guardLimit(rule, window({ high, live: high }))]
        expect(lowered).toBeLessThanOrEqual(without)
        expect(lowered).toBeLessThanOrEqual(threshold * high + 1e-6)
      }),
    )
    // A property that turns null is no deletion.
    expect(guardRoomOf({ ...rule, threshold: 0 }, window({ nulled: {} }), 'm.a')).toBe(25)
  })

  it('counts what is gone already, and each property by itself', () => {
    expect(guardRoom(rule, window({ removed: 20 }))).toBe(5)
    expect(guardRoom(rule, window({ removed: 99 }))).toBe(0)
    expect(guardRoomOf(rule, window({ removed: 99, nulled: { 'm.a': 10 } }), 'm.a')).toBe(15)
    expect(guardRoomOf(rule, window({ nulled: {} }), 'constructor')).toBe(25)
  })
})
