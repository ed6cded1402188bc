import type { Fence } from '../catalog/batch.ts'
import { FenceLost, MappingMoved } from '../catalog/refusals.ts'
import { type Bell, createBell } from './bell.ts'
import { letDependentsGo } from './dependents.ts'
import { settleDoubts } from './doubts.ts'
import { runDueScans } from './due-scans.ts'
import type { Ports, SourceRuntime } from './engine.ts'
import { describeError, MappingPending, Stopped } from './errors.ts'
import { forgetDeliveries } from './forget.ts'
import { carryOutHolds } from './holds.ts'
import { keepHooks, leaveHooks } from './hooks.ts'
import { settleInbox } from './inbox.ts'
import { fitKeeping, scanUnkept } from './keep.ts'
import { openSession } from './open-session.ts'
import { letOrphansGo } from './orphans.ts'
import { remap } from './remap.ts'
import { now, type Session, type Settings } from './session.ts'

export interface Worker {
  /** Something may be there to do. */
  wake(): void
  /** Ends when `signal` aborts; never throws. */
  readonly done: Promise<void>
}

export interface WorkerInput {
  readonly ports: Ports
  readonly runtime: SourceRuntime
  readonly settings: Settings
  /** Stops it: what is in hand is finished, the lease is given back. */
  readonly signal: AbortSignal
  /** Called after work that may have committed something. */
  readonly onProgress: () => void
}

/** Serves one source for as long as the engine runs: waits for its lease, works, and begins again after a failure. */
export function startWorker(input: WorkerInput): Worker {
  const bells = { live: createBell(), scans: createBell() }
  return {
    wake() {
      bells.live.ring()
      bells.scans.ring()
    },
    done: serve(input, bells),
  }
}

type Bells = { readonly live: Bell; readonly scans: Bell }

async function serve(input: WorkerInput, bells: Bells): Promise<void> {
  const { ports, runtime, settings, signal } = input
  let failures = 0
  while (!signal.aborted) {
    let pause = settings.pollMilliseconds
    try {
      const fence = await ports.store.acquireLease(`source:${runtime.name}`, settings.holder, settings.leaseSeconds)
      if (fence !== undefined) {
        const started = ports.clock.now()
        await hold(input, fence, bells)
        if (ports.clock.now() - started > 60_000) failures = 0
      }
    } catch (error) {
      const known = error instanceof FenceLost || error instanceof MappingMoved
      failures += error instanceof MappingMoved ? 0 : 1
      if (!known) pause = Math.min(30_000, settings.pollMilliseconds * 2 ** Math.min(failures, 5))
      // Whoever activated the other version waits for it to be carried out.
      if (error instanceof MappingMoved) pause = Math.min(pause, 50)
      pause *= 0.75 + ports.random() / 2
      const level = error instanceof MappingMoved ? 'info' : error instanceof MappingPending ? 'warn' : 'error'
      ports.log(level, 'source stopped for a while', { source: runtime.name, pause, ...describeError(error) })
    }
    if (!signal.aborted) await ports.clock.sleep(pause, signal)
  }
}

/** While the lease is ours. Throws what ended it, FenceLost included. */
async function hold(input: WorkerInput, fence: Fence, bells: Bells): Promise<void> {
  const { ports, signal } = input
  const lost = new AbortController()
  const both = AbortSignal.any([signal, lost.signal])
  let failure: unknown
  const guard = async (work: Promise<void>): Promise<void> => {
    try {
      await work
    } catch (error) {
      if (!(error instanceof Stopped)) failure ??= error
    } finally {
      // One that ends takes the others with it.
      lost.abort()
    }
  }
  const renewing = guard(renew(input, fence, both))
  try {
    const { name, integration, precedence } = input.runtime
    const source = await ports.store.saveSource({ name, integration, precedence })
    const session = await openSession({ ...input, source, fence, signal: both, onScanRequest: bells.scans.ring })
    await fitKeeping(session)
    if (session.runtime.hooks === undefined) await leaveHooks(session)
    await Promise.all([
      guard(live(session, bells.live, input)),
      guard(scans(session, bells.scans, input)),
      ...(session.runtime.hooks === undefined ? [] : [guard(keepHooks(session, session.runtime.hooks))]),
    ])
  } finally {
    lost.abort()
    await renewing
    await ports.store.releaseLease(fence).catch(() => undefined)
  }
  if (failure !== undefined) throw failure as Error
}

async function renew({ ports, settings, runtime }: WorkerInput, fence: Fence, signal: AbortSignal): Promise<void> {
  const every = (settings.leaseSeconds * 1000) / 3
  for (;;) {
    await ports.clock.sleep(every, signal)
    if (signal.aborted) return
    if (!(await ports.store.renewLease(fence, settings.leaseSeconds))) {
      throw new FenceLost(`the lease of "${runtime.name}" went to somebody else`)
    }
  }
}

/** What people ask for is looked for less often than deliveries: where it can, a wake tells of both. */
const SELDOM = 5

async function live(session: Session, bell: Bell, { settings, onProgress }: WorkerInput): Promise<void> {
  const { signal, ports } = session
  let idle = 0
  while (!signal.aborted) {
    let done = await settleInbox(session)
    if (idle === 0) done += (await carryOutHolds(session)) + (await letDependentsGo(session))
    done += await settleDoubts(session)
    done += await letOrphansGo(session)
    done += await forgetDeliveries(session)
    if (done > 0) {
      onProgress()
      continue
    }
    if (idle === 0) await checkVersion(session)
    const rung = await bell.wait(ports.clock, settings.pollMilliseconds, signal)
    idle = rung ? 0 : (idle + 1) % SELDOM
  }
}

/** A commit would notice, too; but nothing may be there to commit. */
async function checkVersion({ ports, source, mappingId }: Session): Promise<void> {
  const active = await ports.store.activeVersion(source.id)
  if (active !== mappingId) throw new MappingMoved(`mapping version ${mappingId} is no longer the active one`)
}

async function scans(session: Session, bell: Bell, { settings, onProgress }: WorkerInput): Promise<void> {
  const { signal, ports } = session
  await remap(session, onProgress)
  await scanUnkept(session)
  let resume = true
  while (!signal.aborted) {
    const next = await runDueScans(session, { resume })
    resume = false
    onProgress()
    const pause = Math.max(1, Math.min(settings.pollMilliseconds * SELDOM, next - now(session)))
    await bell.wait(ports.clock, pause, signal)
  }
}
