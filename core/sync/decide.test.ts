import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Span, StoredRecord } from '../catalog/stored.ts'
import { compareVersions, decide, type Observation } from './decide.ts'
import { sweep } from './sweep.ts'

const PARTITION = 1

function stored(change: Partial<StoredRecord> = {}): StoredRecord {
  const span: Span = change.span ?? { begin: 10n, end: 11n }
  return {
    id: 1n,
    key: 'k',
    state: 'live',
    version: '5',
    hash: 'a',
    span,
    mappingId: 1,
    locator: {},
    presences: [{ partitionId: PARTITION, ended: change.state === 'gone', span }],
    drafts: [],
    holds: [],
    ...change,
  }
}

function seen(change: Partial<Observation> = {}): Observation {
  return { via: 'list', partitionId: PARTITION, hash: 'b', version: '6', span: { begin: 20n, end: 21n }, ...change }
}

const context = { mappingId: 1, canAsk: true }
const early = { begin: 9n, end: 12n }

describe('decide', () => {
  it.each([
    ['a new key', seen(), undefined, 'replace'],
    ['a new key from a delivery', seen({ via: 'signal', span: { begin: 0n, end: 20n } }), undefined, 'ask'],
    ['the same content', seen({ hash: 'a' }), stored(), 'unchanged'],
    ['the same content, another mapping', seen({ hash: 'a' }), stored({ mappingId: 2 }), 'replace'],
    ['a newer version, however it was read', seen({ span: early }), stored(), 'replace'],
    ['a newer version from a delivery', seen({ via: 'signal', span: { begin: 0n, end: 20n } }), stored(), 'replace'],
    ['an older version, read later', seen({ version: '4' }), stored(), 'ask'],
    ['an equal version, read later', seen({ version: '5' }), stored(), 'ask'],
    ['an older version as the answer of a get', seen({ via: 'get', version: '4' }), stored(), 'replace'],
    ['a get that overlaps', seen({ via: 'get', version: '4', span: early }), stored(), 'ask'],
    ['no version, read later', seen({ version: undefined }), stored(), 'replace'],
    ['no version, overlapping', seen({ version: undefined, span: early }), stored(), 'ask'],
    ['read before what is stored', seen({ version: undefined, span: { begin: 8n, end: 9n } }), stored(), 'drop'],
    ['a tombstone, read later', seen({ version: '4' }), stored({ state: 'gone' }), 'replace'],
    ['a tombstone, newer version but overlapping', seen({ span: early }), stored({ state: 'gone' }), 'ask'],
    ['a tombstone, a delivery', seen({ via: 'signal', version: '9' }), stored({ state: 'gone' }), 'ask'],
    ['another partition', seen({ hash: 'a', partitionId: 2 }), stored(), 'replace'],
    ['another partition by a delivery', seen({ via: 'signal', partitionId: 2 }), stored(), 'ask'],
  ] as const)('%s', (_name, observation, record, expected) => {
    expect(decide(observation, record, context).do).toBe(expected)
  })

  it('takes the later reading where nobody can be asked', () => {
    const dumb = { mappingId: 1, canAsk: false }
    expect(decide(seen({ version: '4' }), stored(), dumb).do).toBe('replace')
    expect(decide(seen({ via: 'signal', version: '1' }), undefined, dumb).do).toBe('replace')
    expect(decide(seen({ span: early }), stored({ state: 'gone' }), dumb).do).toBe('replace')
  })

  it('orders versions', () => {
    expect(compareVersions('2', '1')).toBe('newer')
    expect(compareVersions('1', '2')).toBe('older')
    expect(compareVersions('1', '1')).toBe('equal')
    expect(compareVersions(undefined, '1')).toBe('unknown')
  })
})

/** Moments between 0 and 1, ordered; equal ones keep their order. */
interface Moment {
  readonly at: number
  run(tick: bigint): void
}

const reading = fc.record({
  via: fc.constantFrom('list', 'get', 'signal'),
  times: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
})
const change = fc.record({ at: fc.double({ min: 0, max: 0.6, noNaN: true }), to: fc.constantFrom('a', 'b', undefined) })
const versions = fc.constantFrom('exact', 'coarse', 'none')

/**
 * One object with a history, observed by overlapping lists, gets and late deliveries that are applied in any order. In the
 * end: one complete scan that began after the last change, and an answer to every question. Then what is stored is the truth.
 */
function converges(
  history: readonly { at: number; to: 'a' | 'b' | undefined }[],
  readings: readonly { via: 'list' | 'get' | 'signal'; times: readonly number[] }[],
  versioning: 'exact' | 'coarse' | 'none',
): { truth: string | undefined; kept: string | undefined } {
  let truth: { hash: string; version: string | undefined } | undefined
  let changes = 0
  let record: StoredRecord | undefined
  let asked = false
  let completeBegin = 0n

  const apply = (observation: Observation): void => {
    const decision = decide(observation, record, { ...context, completeBegin })
    if (decision.do === 'ask') asked = true
    if (decision.do === 'replace') {
      const before = record?.presences[0]?.span
      record = stored({
        version: observation.version,
        hash: observation.hash,
        span: observation.span,
        presences: [{ partitionId: PARTITION, ended: false, span: latest(observation.span, before) }],
      })
    } else if (record !== undefined && observation.via !== 'signal') {
      // The page that saw it, or the confirmation, moves the watermark.
      const presences = record.presences.map((each) => ({ ...each, span: latest(observation.span, each.span) }))
      record = { ...record, span: latest(observation.span, record.span), presences }
    }
  }
  const remove = (span: Span): void => {
    if (record !== undefined)
      record = { ...record, state: 'gone', span, presences: [{ partitionId: 1, ended: true, span }] }
  }
  const absent = (via: 'list' | 'get', span: Span): void => {
    const presence = record?.presences[0]
    if (record?.state !== 'live' || presence === undefined) return
    if (via === 'get') {
      if (presence.span.end <= span.begin) remove(span)
      else asked = true
      return
    }
    if (presence.span.begin >= span.begin) return
    const row = { confirmed: presence.span.end, shown: presence.span.begin, held: false, missedBefore: false }
    const verdict = sweep({
      complete: true,
      coverage: 'complete',
      paging: 'stable',
      canAsk: true,
      begin: span.begin,
      resumed: false,
      seesSince: 0n,
      missing: { open: 1, hidden: 0, held: 0, seen: 10, live: 10 },
      window: { high: 100, live: 100, removed: 0, nulled: {} },
      rule: { share: 0.25, minimum: 5 },
    })
    const fate = verdict.of(row)
    if (fate === 'remove') remove(span)
    if (fate === 'ask') asked = true
  }

  const moments: Moment[] = history.map(({ at, to }) => ({
    at,
    run: () => {
      changes += 1
      const version = { exact: changes, coarse: Math.ceil(changes / 2), none: undefined }[versioning]
      truth =
        to === undefined ? undefined : { hash: to + (version ?? ''), version: version?.toString().padStart(4, '0') }
    },
  }))
  const read = (via: 'list' | 'get' | 'signal', begin: number, at: number, end: number, applied: number): void => {
    let answer: typeof truth
    const ticks: { begin?: bigint; end?: bigint } = {}
    moments.push({ at: begin, run: (tick) => void (ticks.begin = tick) })
    moments.push({ at, run: () => void (answer = truth) })
    moments.push({ at: end, run: (tick) => void (ticks.end = tick) })
    moments.push({
      at: applied,
      run: (tick) => {
        const span = via === 'signal' ? { begin: 0n, end: tick } : { begin: ticks.begin ?? 0n, end: ticks.end ?? 0n }
        if (via === 'list') completeBegin = span.begin
        if (answer !== undefined) apply({ via, partitionId: PARTITION, span, ...answer })
        else if (via === 'signal') asked = true
        else absent(via, span)
      },
    })
  }
  let listing = 0
  for (const { via, times } of readings.toSorted((left, right) => Math.min(...left.times) - Math.min(...right.times))) {
    const share = via === 'list' ? 0.69 : 1
    const [begin = 0, at = 0, end = 0, applied = 0] = times
      .map((each) => each * share)
      .toSorted((left, right) => left - right)
    // Scans of one partition never overlap.
    if (via === 'list' && begin < listing) continue
    if (via === 'list') listing = applied
    // A body without a version is never applied as it is (coalesce): it only asks.
    if (via === 'signal' && versioning === 'none') moments.push({ at: applied, run: () => void (asked = true) })
    else read(via, begin, at, end, applied)
  }
  read('list', 0.7, 0.75, 0.8, 0.9)
  moments.sort((left, right) => left.at - right.at)
  for (const [index, moment] of moments.entries()) moment.run(BigInt(index + 1))

  if (asked) {
    const span = { begin: 10_000n, end: 10_001n }
    if (truth === undefined) absent('get', span)
    else
      apply({ via: 'get', partitionId: PARTITION, span, ...(truth as { hash: string; version: string | undefined }) })
  }
  const kept = record as StoredRecord | undefined
  const said = truth as { hash: string } | undefined
  return { truth: said?.hash, kept: kept?.state === 'live' ? kept.hash : undefined }
}

function latest(left: Span, right: Span | undefined): Span {
  if (right === undefined) return left
  return {
    begin: left.begin > right.begin ? left.begin : right.begin,
    end: left.end > right.end ? left.end : right.end,
  }
}

describe('any interleaving of scans, gets and deliveries', () => {
  it('ends in the truth', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 6 }),
        fc.array(reading, { maxLength: 6 }),
        versions,
        (history, readings, versioning) => {
          const { truth, kept } = converges(history, readings, versioning)
          expect(kept).toBe(truth)
        },
      ),
      { numRuns: 20000 },
    )
  })
})
