import { CredentialRefused, type Partition, ScopeUnreadable } from '../sdk/index.ts'
import { makeUnknown } from './check.ts'
import { asSourceError } from './errors.ts'
import { type KindSession, mayCall, type PartitionSession, type Session, untilStopped } from './session.ts'
import { transition } from './states.ts'

/**
 * Asks for the scopes of a kind. One that cannot be read, or that the source no longer names, is unknown. Answers those that
 * can be listed, in the source's order.
 */
export async function findPartitions(session: Session, kind: KindSession): Promise<readonly PartitionSession[]> {
  mayCall(session, 'scan')
  const found = await ask(session, kind)
  const readable: PartitionSession[] = []
  for (const partition of found) {
    const known = await remember(session, kind, partition)
    if (partition.unknown === undefined) readable.push(known)
    else await makeUnknown(session, known, 'refuse', partition.unknown)
  }
  const names = new Set(found.map(({ name }) => name))
  for (const [name, partition] of kind.partitions) {
    if (!names.has(name)) await makeUnknown(session, partition, 'forget', 'the source no longer names it')
  }
  return readable
}

async function ask(session: Session, kind: KindSession): Promise<readonly Partition[]> {
  try {
    return await untilStopped(session, kind.kind.partitions(session.signal))
  } catch (error) {
    if (error instanceof ScopeUnreadable || error instanceof CredentialRefused) {
      for (const partition of kind.partitions.values()) await makeUnknown(session, partition, 'refuse', error.message)
    }
    throw asSourceError(error)
  }
}

async function remember(session: Session, kind: KindSession, { name }: Partition): Promise<PartitionSession> {
  const known = kind.partitions.get(name)
  if (known !== undefined) return known
  const fresh: PartitionSession = { row: await session.ports.store.savePartition(kind.id, name) }
  transition('partition', 'none', 'list', session.settings.onTransition)
  kind.partitions.set(name, fresh)
  return fresh
}
