import { type Check, CredentialRefused, RateLimited } from '../sdk/index.ts'
import { asSourceError, describeError, Quiet, Stopped } from './errors.ts'
import { emit, keepQuiet, mayCall, type PartitionSession, type Session, untilStopped } from './session.ts'
import { transition } from './states.ts'

/**
 * Asks who the credential is and what it may see, and remembers the answer. A refused credential makes every partition of
 * the source unknown; any other failure changes nothing. Throws what `check` throws.
 */
export async function checkCredential(session: Session): Promise<Check> {
  const { store } = session.ports
  const source = session.runtime.name
  try {
    mayCall(session, 'live')
    const check = await ask(session)
    if (check.fingerprint !== session.sees.fingerprint) {
      session.sees = { fingerprint: check.fingerprint, since: await store.tick() }
    }
    await store.saveCheck(session.fence, session.source.id, {
      identity: check.identity,
      fingerprint: check.fingerprint,
    })
    emit(session, { type: 'check', source, check })
    return check
  } catch (error) {
    if (error instanceof Stopped || error instanceof Quiet) throw error
    if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, error.reserve)
    if (error instanceof CredentialRefused) await refuseAll(session, error)
    emit(session, { type: 'check', source, error: error instanceof Error ? error : new Error(String(error)) })
    throw error
  }
}

/**
 * Tick since which the credential is known to see, in the partition, what it sees now. What was confirmed only before may be
 * there all the same, and hidden from it. Undefined: no scan of the partition was made with what it sees now.
 */
export async function seesSince(
  session: Session,
  partitionId: number,
  fingerprint: string,
): Promise<bigint | undefined> {
  const since = await session.ports.store.seesSince(partitionId, fingerprint)
  if (since === undefined || session.sees.fingerprint !== fingerprint) return undefined
  return since > session.sees.since ? since : session.sees.since
}

async function ask(session: Session): Promise<Check> {
  try {
    return await untilStopped(session, session.runtime.connection.check(session.signal))
  } catch (error) {
    throw asSourceError(error)
  }
}

async function refuseAll(session: Session, error: CredentialRefused): Promise<void> {
  await session.ports.store.saveCheck(session.fence, session.source.id, { problem: describeError(error) })
  for (const kind of session.kinds.values()) {
    for (const partition of kind.partitions.values()) await makeUnknown(session, partition, 'refuse', error.message)
  }
}

/** What a partition holds is unknown, which is not the same as empty: nothing in it is deleted. */
export async function makeUnknown(
  session: Session,
  partition: Pick<PartitionSession, 'row'>,
  event: 'refuse' | 'forget',
  reason: string,
): Promise<void> {
  const { row } = partition
  transition('partition', row.state, event)
  const same = row.state === 'unknown' && row.reason === reason
  if (!same) await session.ports.store.setPartition(session.fence, row.id, 'unknown', reason)
  partition.row = { ...row, state: 'unknown', reason }
  transition('partition', row.state, event, session.settings.onTransition)
}
