import { CredentialRefused, type Partition, ScopeUnreadable } from '../sdk/index.ts'
import { makeUnknown } from './check.ts'
import { asSourceError } from './errors.ts'
import { type KindSession, mayCall, now, type PartitionSession, type Session, untilStopped } from './session.ts'
import { transition } from './states.ts'

/**
 * Asks for the scopes of a kind. One that cannot be read, or that the source no longer names, is unknown; dropped, if it was
 * only left out and holds nothing. Answers those that can be listed, in the source's order.
 */
export async function findPartitions(session: Session, kind: KindSession): Promise<readonly PartitionSession[]> {
  mayCall(session, 'scan')
  const found = await ask(session, kind)
  await followParents(session, kind, found)
  const readable: PartitionSession[] = []
  for (const partition of found) {
    const known = await remember(session, kind, partition)
    if (partition.unknown === undefined) readable.push(known)
    else await makeUnknown(session, known, 'refuse', partition.unknown)
  }
  const names = new Set(found.map(({ name }) => name))
  for (const partition of kind.partitions.values()) {
    if (!names.has(partition.row.name)) await forget(session, kind, partition)
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

/** A scope that hangs on a record may be called by that record's name: when it has another name now, it is the same scope. */
async function followParents(session: Session, kind: KindSession, found: readonly Partition[]): Promise<void> {
  const fresh = found.filter(({ name, parent }) => parent !== undefined && !kind.partitions.has(name))
  if (fresh.length === 0) return
  const names = new Set(found.map(({ name }) => name))
  const left = [...kind.partitions.values()].filter(({ row }) => row.parent !== undefined && !names.has(row.name))
  const olds = Map.groupBy(left, ({ row }) => idOf(row.parent))
  for (const [id, news] of Map.groupBy(fresh, ({ parent }) => idOf(parent))) {
    const [one, another] = [news[0], news[1]]
    const [old, other] = olds.get(id) ?? []
    if (one === undefined || another !== undefined || old === undefined || other !== undefined) continue
    await session.ports.store.renamePartition(session.fence, old.row.id, one.name)
    kind.partitions.delete(old.row.name)
    old.row = { ...old.row, name: one.name }
    kind.partitions.set(one.name, old)
  }
}

async function remember(session: Session, kind: KindSession, { name, parent }: Partition): Promise<PartitionSession> {
  const known = kind.partitions.get(name)
  if (known !== undefined && idOf(known.row.parent) === idOf(parent)) return known
  const row = await session.ports.store.savePartition(session.fence, kind.id, name, parent)
  if (known !== undefined) {
    known.row = { ...known.row, parent }
    return known
  }
  transition('partition', row.state === 'dropped' ? 'dropped' : 'none', 'list', session.settings.onTransition)
  const fresh: PartitionSession = { row: { ...row, state: row.state === 'dropped' ? 'unseen' : row.state } }
  kind.partitions.set(name, fresh)
  return fresh
}

/** Left out by the source: that proves nothing about what it holds. When it holds nothing, there is nothing to be unknown. */
async function forget(session: Session, kind: KindSession, partition: PartitionSession): Promise<void> {
  const { store } = session.ports
  const { onTransition } = session.settings
  const { id, name, state } = partition.row
  const open = await store.openScan(id)
  if (open !== undefined) {
    const ended = transition('scan', open.state, 'abandon', onTransition)
    const reason = 'the source no longer names the partition'
    await store.setScan(session.fence, open.id, { state: ended, reason, ended: now(session) })
  }
  // In the source's turn, so that nothing is written into it meanwhile.
  const dropped = await session.write(async () => {
    if (!(await store.dropPartition(session.fence, id))) return false
    kind.partitions.delete(name)
    return true
  })
  if (dropped) transition('partition', state, 'drop', onTransition)
  else await makeUnknown(session, partition, 'forget', 'the source no longer names it')
}

function idOf(parent: Partition['parent']): string {
  return parent === undefined ? '' : JSON.stringify([parent.kind, parent.key])
}
