import { expect, test } from 'vitest'
import { attentionOf, kindState } from './attention.ts'
import type { ScanView } from './scans.ts'
import type { KindView, PartitionView, SourceView } from './sources.ts'

const now = Date.parse('2026-11-28T12:00:00Z')

const scan = (more: Partial<ScanView>): ScanView => ({
  id: '7',
  source: 'github',
  kind: 'repository',
  partition: 'acme',
  state: 'complete',
  reason: null,
  startedAt: '',
  endedAt: null,
  parkedUntil: null,
  pages: 1,
  notModified: 0,
  calls: 1,
  quota: 1,
  items: 0,
  changed: 0,
  failed: 0,
  removed: 0,
  held: 0,
  expected: null,
  progress: null,
  ...more,
})

const partition = (more: Partial<PartitionView> = {}): PartitionView => ({
  name: 'acme',
  state: 'known',
  freshness: 'fresh',
  completeScan: '7',
  completeAt: null,
  ageSeconds: 40,
  held: 0,
  scan: null,
  ...more,
})

const kind = (more: Partial<KindView> = {}): KindView => ({
  name: 'repository',
  freshness: 'fresh',
  objectiveSeconds: 3600,
  records: 60,
  held: 0,
  quarantined: 0,
  pinned: 0,
  nextScanAt: null,
  scanRequested: false,
  partitions: [partition()],
  ...more,
})

const source = (more: Partial<SourceView> = {}): SourceView => ({
  name: 'github',
  integration: 'github',
  state: 'active',
  freshness: 'fresh',
  objectiveSeconds: 3600,
  identity: null,
  pausedUntil: null,
  problem: null,
  deliveries: { waiting: 0, lagSeconds: 0, dead: 0 },
  doubts: 0,
  kinds: [kind()],
  ...more,
})

const told = (view: SourceView) =>
  attentionOf(view).map(({ what, text, next, unhealthy }) => `${unhealthy ? '!' : ' '} ${what}: ${text} -> ${next}`)

test('a source that is well needs nobody', () => {
  expect(told(source())).toEqual([])
  expect(kindState(kind(), source(), now)).toBe('fresh 40 s')
})

test('everything that is wrong is said with its next step', () => {
  const unknown = { freshness: 'unknown', reason: '403.', advice: 'Give access.' } as const
  const ill = source({
    problem: { message: 'Bad credentials.', hint: 'Replace the token.' },
    deliveries: { waiting: 1, lagSeconds: 120, dead: 2 },
    kinds: [
      kind({
        freshness: 'unknown',
        held: 214,
        quarantined: 3,
        pinned: 2,
        partitions: [
          partition({ name: 'acme-labs', ...unknown }),
          partition({ name: 'a', ...unknown }),
          partition({ name: 'b', ...unknown }),
          partition({ name: 'c', ...unknown }),
          partition({ scan: scan({ state: 'incomplete', reason: 'page 3 was HTML' }) }),
          partition({ name: 'late', freshness: 'stale', reason: 'too old', advice: 'catchment sync github' }),
        ],
      }),
      kind({ name: 'team', partitions: [] }),
    ],
  })
  expect(told(ill)).toEqual([
    '! refused: Bad credentials. -> Replace the token.',
    '! dead: 2 deliveries set aside -> catchment deliveries --source github --state dead',
    '  waiting: 1 delivery waits, the oldest for 2 min -> catchment deliveries --source github --state accepted',
    '! unknown: unknown: acme-labs, a, b and 1 more: 403 -> Give access.',
    '! stale: stale: late: too old -> catchment sync github',
    '  incomplete: the last scan of acme is incomplete: page 3 was HTML -> catchment scan show 7',
    '! held: 214 held -> catchment held --source github --kind repository',
    '  pinned: 2 pinned: deviates from the source -> catchment pins',
    '  quarantined: 3 quarantined -> catchment quarantine --source github --kind repository',
  ])
  // Said of the source already, when that is why.
  expect(told(source({ kinds: [kind({ name: 'team', partitions: [] })] }))).toEqual([
    '! unknown: unknown: never listed -> catchment sync github team',
  ])
  expect(kindState(ill.kinds[0] ?? kind(), ill, now)).toBe('4 unknown, 1 stale 40 s, 1 fresh 40 s')
})

test('a frozen source is unknown as a whole, and said once', () => {
  expect(
    told(
      source({
        state: 'frozen',
        kinds: [kind({ freshness: 'unknown', partitions: [partition({ freshness: 'unknown' })] })],
      }),
    ),
  ).toEqual(['! frozen: not in the configuration; kept as it was -> catchment source remove github'])
})

test('what a scan does comes before how old the last one is', () => {
  const running = (items: number, expected: number | null, endsAt: string | null) =>
    partition({ scan: scan({ state: 'running', items, expected, progress: { share: null, rate: 1, endsAt } }) })
  const of = (...partitions: PartitionView[]) => kindState(kind({ partitions }), source(), now)
  expect(of(running(38, 100, '2026-11-28T12:02:00Z'))).toBe('scanning 38 % 2 min left')
  expect(of(running(38, 100, '2026-11-28T12:02:00Z'), running(62, 100, '2026-11-28T12:00:30Z'))).toBe(
    'scanning 50 % 2 min left',
  )
  expect(of(running(38, null, null), partition())).toBe('scanning 38 items')
  const parked = partition({
    scan: scan({
      state: 'parked',
      parkedUntil: '2026-11-28T12:10:00Z',
      progress: { share: null, rate: 0, endsAt: null },
    }),
  })
  expect(of(parked)).toBe('parked until 12:10:00 UTC')
  expect(kindState(kind(), source({ pausedUntil: '2026-11-28T12:10:00Z' }), now)).toBe('parked until 12:10:00 UTC')
})

test('webhooks: where there is none, and those that nobody looks after, with the command that removes them', () => {
  const refused = [{ scope: 'acme', reason: 'webhooks of acme answered 403' }]
  const kept = { managed: true, hooks: [{ scope: 'acme-labs', id: '12', remove: 'gh api' }], refused }
  const said = (webhooks?: SourceView['webhooks']) =>
    attentionOf(source(webhooks === undefined ? {} : { webhooks })).flatMap(({ what, text, next, unhealthy }) =>
      what === 'webhook' ? [[text, next, unhealthy]] : [],
    )
  expect(said(kept)).toEqual([['no webhook for acme: webhooks of acme answered 403', 'catchment check', false]])
  expect(said({ ...kept, managed: false, refused: [] })).toEqual([
    ['webhook 12 that Catchment made is still at acme-labs', 'gh api', false],
  ])
  expect(said()).toEqual([])
})
