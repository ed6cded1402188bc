import { isDeepStrictEqual } from 'node:util'
import type { Fence } from '../catalog/batch.ts'
import { PAUSE } from '../catalog/store.ts'
import type { SourceRow } from '../catalog/stored.ts'
import type { Json } from '../sdk/index.ts'
import type { Ports, SourceRuntime } from './engine.ts'
import { MappingPending } from './errors.ts'
import { createMutex } from './mutex.ts'
import type { KindSession, PartitionSession, Session, Settings } from './session.ts'

export interface SessionInput {
  readonly ports: Ports
  readonly runtime: SourceRuntime
  readonly settings: Settings
  readonly source: SourceRow
  readonly fence: Fence
  readonly signal: AbortSignal
  readonly onScanRequest?: () => void
}

/** Reads what is remembered of a source whose lease we hold. Throws MappingPending. */
export async function openSession(input: SessionInput): Promise<Session> {
  const { ports, runtime, source, settings } = input
  const mappingId = await activeMapping(ports, runtime, source.id, settings.applyPending)
  const kinds = new Map<string, KindSession>()
  for (const name of runtime.kinds) {
    const kind = runtime.connection.kinds.find((each) => each.name === name)
    if (kind === undefined) throw new Error(`The integration "${runtime.integration}" has no kind "${name}".`)
    const { id } = await ports.store.kind(source.id, name)
    const partitions = new Map<string, PartitionSession>()
    for (const row of await ports.store.partitions(id)) partitions.set(row.name, { row })
    kinds.set(name, { id, name, kind, partitions })
  }
  // A pause that the source asked for outlives a restart.
  const sees = { fingerprint: source.fingerprint, since: 0n }
  const orphans = { lookAt: 0, attempts: 0 }
  const quietUntil = (await ports.store.schedule(source.id, PAUSE))?.next ?? 0
  return { ...input, mappingId, kinds, write: createMutex(), quietUntil, scansQuietUntil: 0, sees, orphans }
}

/**
 * Files are the truth, the database remembers: a changed file waits until it is applied. The same file under another engine
 * version makes other output, so it is activated by itself.
 */
async function activeMapping(ports: Ports, runtime: SourceRuntime, sourceId: number, apply: boolean): Promise<number> {
  const active = await ports.store.activeMapping(sourceId)
  const { hash } = runtime.mappings
  if (active?.hash === hash) return active.id
  // The content is JSON by its type's own description.
  const content = structuredClone(runtime.mappingContent) as unknown as Json
  const same = active !== undefined && isDeepStrictEqual(active.content, JSON.parse(JSON.stringify(content)))
  if (active !== undefined && !same && !apply) throw new MappingPending(runtime.name)
  const blueprints = runtime.mappingContent.blueprints as readonly Json[]
  return ports.store.activateMapping(sourceId, { hash, content, blueprints })
}
