import { StaleDecision } from '../catalog/refusals.ts'
import type { Orphan } from '../catalog/stored.ts'
import { type Got, RateLimited } from '../sdk/index.ts'
import { checkCredential, seesSince } from './check.ts'
import { commitPlan, commitPlanOnce } from './commit.ts'
import { Stopped } from './errors.ts'
import { guardRoom, overLimit } from './guard.ts'
import { planDoubt } from './observe.ts'
import { newPlan, type Plan } from './plan.ts'
import {
  guardOf,
  type KindSession,
  keepQuiet,
  mayCall,
  now,
  type PartitionSession,
  type Session,
  untilStopped,
} from './session.ts'

/** In one transaction at most. */
const AT_A_TIME = 500
const FIRST_PAUSE = 5_000
const LONGEST_PAUSE = 15 * 60_000

/** What is known about a record that others hang on, beside its tombstone. */
type Proof =
  /** It was nowhere at a moment after this tick: what was confirmed only before goes with it. */
  | { readonly type: 'gone'; readonly before: bigint }
  /** It seems to be nowhere, but that proves too little. */
  | { readonly type: 'hold'; readonly reason: string }
  | { readonly type: 'present'; readonly kind: KindSession; readonly partition: PartitionSession }
  | { readonly type: 'later' }

type Child = Awaited<ReturnType<Session['ports']['store']['children']>>[number]

/**
 * What hangs on a record that is gone goes with it (I2). The record may have come back since, or have moved where the catalog
 * has not seen it yet, so the source is asked about it once more, in every partition where it could be. Answers how many
 * partitions were looked at.
 */
export async function letOrphansGo(session: Session): Promise<number> {
  const { orphans } = session
  if (now(session) < Math.max(orphans.lookAt, session.quietUntil)) return 0
  orphans.lookAt = Number.POSITIVE_INFINITY
  const found = await session.ports.store.orphans(session.source.id)
  const proofs = new Map<string, Proof>()
  let left = 0
  for (const orphan of found) {
    const kind = session.kinds.get(orphan.kind)
    const partition = kind?.partitions.get(orphan.partition)
    if (kind === undefined || partition === undefined) continue
    const id = JSON.stringify(orphan.parent)
    const proof = proofs.get(id) ?? (await prove(session, orphan))
    proofs.set(id, proof)
    if (!(await settle(session, kind, partition, orphan, proof))) left += 1
  }
  if (left === 0) orphans.attempts = 0
  else {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(orphans.attempts, 20))
    orphans.attempts += 1
    // Something may have been removed meanwhile: then it is looked at once.
    orphans.lookAt = Math.min(orphans.lookAt, now(session) + pause * (0.75 + session.ports.random() / 2))
  }
  return found.length - left
}

async function prove(session: Session, { parent, locator, goneAt }: Orphan): Promise<Proof> {
  const kind = session.kinds.get(parent.kind)
  // No longer scanned: nobody looks after it.
  if (kind === undefined) return { type: 'later' }
  const { paging, coverage } = kind.kind
  const listed = paging === 'stable' && coverage === 'complete'
  if (kind.kind.get === undefined && !listed)
    return { type: 'hold', reason: 'what it hangs on is gone and cannot be asked about' }
  let before = await session.ports.store.tick()
  const silent: PartitionSession[] = []
  for (const partition of kind.partitions.values()) {
    const got = await ask(session, kind, partition, parent.key, locator)
    if (got.state === 'present') return { type: 'present', kind, partition }
    if (got.state === 'gone') {
      silent.push(partition)
      continue
    }
    // A complete listing that began after it was found gone has not shown it either, or it would not be gone.
    const { completeBegin } = partition
    if (!listed || completeBegin === undefined || completeBegin < goneAt) return { type: 'later' }
    before = completeBegin < before ? completeBegin : before
  }
  return (await distrust(session, silent, goneAt)) ?? { type: 'gone', before }
}

async function ask(
  session: Session,
  { kind }: KindSession,
  { row }: PartitionSession,
  key: string,
  locator: Orphan['locator'],
): Promise<Got> {
  if (kind.get === undefined) return { state: 'unknown', reason: 'it cannot be asked' }
  try {
    mayCall(session, 'live')
    return await untilStopped(session, kind.get(key, locator, row.name, session.signal))
  } catch (error) {
    if (error instanceof Stopped) throw error
    if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, error.reserve)
    return { state: 'unknown', reason: 'it did not answer' }
  }
}

/** Many sources answer 404 for what a token may no longer see: it must see what it saw when the record was found gone. */
async function distrust(
  session: Session,
  silent: readonly PartitionSession[],
  goneAt: bigint,
): Promise<Proof | undefined> {
  if (silent.length === 0) return undefined
  let fingerprint: string
  try {
    fingerprint = (await checkCredential(session)).fingerprint
  } catch (error) {
    if (error instanceof Stopped) throw error
    return { type: 'later' }
  }
  for (const { row } of silent) {
    if (row.state !== 'known') return { type: 'later' }
    const since = await seesSince(session, row.id, fingerprint)
    if (since === undefined) return { type: 'later' }
    if (since > goneAt)
      return { type: 'hold', reason: 'what it hangs on is gone, and the credential sees less or more now' }
  }
  return undefined
}

/** False: it has to be looked at again. */
async function settle(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  { parent, locator }: Orphan,
  proof: Proof,
): Promise<boolean> {
  if (proof.type === 'later') return false
  const reason = `the ${parent.kind} that it hangs on (${parent.key}) is gone`
  if (proof.type === 'present') {
    await raiseDoubt(session, proof, parent.key, locator)
    return true
  }
  const all = proof.type === 'hold'
  const before = proof.type === 'gone' ? proof.before : 0n
  let [count, late] = [0, 0]
  for await (const rows of chunks(session, partition)) {
    const sure = all ? rows : rows.filter(({ confirmed }) => confirmed <= before)
    count += sure.length
    late += rows.length - sure.length
  }
  const window = await session.ports.store.guardWindow(kind.id, now(session))
  const guard = guardOf(session)
  const over = count > guardRoom(guard, window) ? `${reason}; ${overLimit(guard, window, count)}` : undefined
  const hold = all ? `${proof.reason} (${parent.kind} ${parent.key})` : over
  const end = await session.ports.store.tick()
  try {
    for await (const rows of chunks(session, partition)) {
      const plan = newPlan({ type: 'get', reason })
      const sure = all ? rows : rows.filter(({ confirmed }) => confirmed <= before)
      for (const row of sure) planEnd(plan, partition.row.id, row, { begin: before, end }, hold)
      await session.write(() => commitPlanOnce(session, kind, plan))
    }
  } catch (error) {
    // One was seen meanwhile.
    if (!(error instanceof StaleDecision)) throw error
    return false
  }
  return late === 0
}

function planEnd(
  plan: Plan,
  partitionId: number,
  { recordId, confirmed }: Child,
  span: { readonly begin: bigint; readonly end: bigint },
  hold: string | undefined,
): void {
  if (hold !== undefined) plan.holds.push({ recordId, partitionId, what: 'presence', reason: hold })
  else plan.removals.push({ recordId, partitionId, confirmed, span, reason: 'parent', signed: false })
}

/** Live presences that nobody was asked about. What is removed or held on the way is not met again. */
async function* chunks(session: Session, partition: PartitionSession): AsyncIterable<readonly Child[]> {
  let after = 0n
  for (;;) {
    const rows = await session.ports.store.children(partition.row.id, after, AT_A_TIME)
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.recordId
    yield rows
  }
}

/** The catalog is wrong about the parent: it is asked about like any other key. */
async function raiseDoubt(
  session: Session,
  { kind, partition }: Extract<Proof, { type: 'present' }>,
  key: string,
  locator: Orphan['locator'],
): Promise<void> {
  const serial = await session.ports.store.tick()
  await commitPlan(session, kind, () => {
    const reason = 'it is gone from the catalog, and there at the source'
    const plan = newPlan({ type: 'get', reason })
    planDoubt(kind, plan, partition, { key, reason, serial, signed: false, locator }, 'gone')
    return Promise.resolve(plan)
  })
}
