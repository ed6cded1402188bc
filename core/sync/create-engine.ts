import { CatchmentError } from '../sdk/index.ts'
import { createBell } from './bell.ts'
import { createReceiver, type Receiver } from './deliver.ts'
import type { Engine, Ports, SourceRuntime } from './engine.ts'
import { describeError, SourceUnknown } from './errors.ts'
import { nextRun } from './schedule.ts'
import { type EngineOptions, settingsOf } from './session.ts'
import { startWorker, type Worker } from './worker.ts'

interface Running {
  readonly id: number
  readonly receive: Receiver
  readonly worker: Worker
}

/** The engine in one process. Several processes may run one over the same database: each source is served by one of them. */
export function createEngine(ports: Ports, sources: readonly SourceRuntime[], options: EngineOptions): Engine {
  const settings = settingsOf(options)
  const stop = new AbortController()
  const feed = createBell()
  const running = new Map<string, Running>()
  const listening: (() => Promise<void>)[] = []
  let sequencing: Promise<void> | undefined

  const wake = (): void => {
    for (const { worker } of running.values()) worker.wake()
    feed.ring()
  }
  const find = (name: string): Running => {
    const found = running.get(name)
    if (found !== undefined) return found
    if (!sources.some((source) => source.name === name)) throw new SourceUnknown(name)
    throw new CatchmentError('Catchment is still starting.', { code: 'starting', status: 503, hint: 'Try again soon.' })
  }

  return {
    sources,
    async start() {
      for (const runtime of sources) nextRun(runtime.schedule.scan, ports.clock.now())
      await ports.store.freezeSourcesExcept(sources.map(({ name }) => name))
      for (const runtime of sources) {
        const { name, integration, precedence } = runtime
        const source = await ports.store.saveSource({ name, integration, precedence })
        const onProgress = (): void => feed.ring()
        const worker = startWorker({ ports, runtime, settings, signal: stop.signal, onProgress })
        running.set(name, { id: source.id, worker, receive: createReceiver(ports, runtime, settings, source) })
      }
      sequencing = sequence()
      if (options.db === undefined) return
      listening.push(await options.db.listen('catchment_inbox', wake))
      listening.push(await options.db.listen('catchment_batches', () => feed.ring()))
    },
    async stop() {
      stop.abort()
      await Promise.all(listening.map((end) => end()))
      await Promise.all([...running.values()].map(({ worker }) => worker.done))
      await sequencing
      for (const { connection } of sources) await connection.close?.()
    },
    async deliver(name, delivery) {
      const source = find(name)
      const answer = await source.receive(delivery)
      source.worker.wake()
      return answer
    },
    async requestScan(name, kind) {
      const source = find(name)
      const runtime = sources.find((each) => each.name === name)
      for (const each of kind === '' ? (runtime?.kinds ?? []) : [kind]) await ports.store.requestScan(source.id, each)
      source.worker.wake()
    },
    wake,
  }

  /** Places in the change feed: given by one fenced statement at a time, in whichever process. */
  async function sequence(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        if ((await ports.store.sequence()) > 0) continue
        if ((await ports.store.settleRelations()) > 0) continue
      } catch (error) {
        ports.log('error', 'the change feed could not be sequenced', describeError(error))
      }
      await feed.wait(ports.clock, settings.pollMilliseconds, stop.signal)
    }
    // What the last commits wrote is in the feed when we are gone.
    await ports.store.sequence().catch(() => 0)
  }
}
