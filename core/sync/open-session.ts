import { isDeepStrictEqual } from 'node:util'
import type { Fence } from '../catalog/batch.ts'
import type { Activation } from '../catalog/plan-books.ts'
import { PAUSE } from '../catalog/store.ts'
import type { SourceRow } from '../catalog/stored.ts'
import type { Mappings } from '../model/mapping.ts'
import type { Json } from '../sdk/index.ts'
import type { MappingContent, Ports, SourceRuntime } from './engine.ts'
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
  const { ports, runtime, source } = input
  const { id: mappingId, mappings } = await activeVersion(input)
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
  return {
    ...input,
    mappingId,
    mappings,
    kinds,
    write: createMutex(),
    forgetting: { lookAt: 0 },
    turns: { others: 0, holds: 0 },
    quietUntil,
    scansQuietUntil: 0,
    sees,
    orphans,
  }
}

/**
 * Files are the truth, the database remembers: a changed file waits until it is applied, and what is active goes on, also
 * when another version was activated while we ran. The same files under another engine version make other output, so that
 * is activated by itself.
 */
async function activeVersion(input: SessionInput): Promise<{ id: number; mappings: Mappings }> {
  const { ports, runtime, source, settings } = input
  const active = await ports.store.activeMapping(source.id)
  const { mappings, mappingContent, versions } = runtime
  if (active?.hash === mappings.hash) return { id: active.id, mappings }
  const same = active !== undefined && isDeepStrictEqual(active.content, JSON.parse(JSON.stringify(mappingContent)))
  if (active === undefined || same || settings.applyPending) {
    const how = active === undefined ? 'start' : same ? 'engine' : 'apply'
    return { id: await activate(input, mappings, mappingContent, how), mappings }
  }
  if (versions === undefined) throw new MappingPending(runtime.name)
  // Written by `activateMapping` from a MappingContent.
  const content = active.content as unknown as MappingContent
  const version = versions.compile(content)
  if (!version.usable) throw new MappingPending(runtime.name)
  if (version.mappings.hash === active.hash) return { id: active.id, mappings: version.mappings }
  return { id: await activate(input, version.mappings, content, 'engine'), mappings: version.mappings }
}

function activate(
  { ports, source, fence }: SessionInput,
  { hash }: Mappings,
  content: MappingContent,
  how: Activation['how'],
): Promise<number> {
  // Both are JSON by their types' own description.
  const json = structuredClone(content) as unknown as Json
  const blueprints = content.blueprints as readonly Json[]
  return ports.store.activateMapping(source.id, { hash, content: json, blueprints }, { who: 'start', how, fence })
}
