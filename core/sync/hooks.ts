import { isDeepStrictEqual } from 'node:util'
import type { HookState } from '../catalog/store.ts'
import { type HookKeeper, type HooksKept, RateLimited } from '../sdk/index.ts'
import type { SourceRuntime } from './engine.ts'
import { asSourceError, describeError, isSourceError } from './errors.ts'
import { emit, keepQuiet, now, type Session, untilStopped } from './session.ts'

/** Between two looks at our webhooks: so long what was lost in a short absence waits at most. */
const usual = 5 * 60_000
const afterTrouble = 30_000

/**
 * Keeps our webhooks at the source and asks for deliveries that never reached us, while the session lasts. What the source
 * refuses is said and tried again: scans find every change anyway.
 */
export async function keepHooks(session: Session, { url }: NonNullable<SourceRuntime['hooks']>): Promise<void> {
  const { ports, runtime, signal } = session
  const keeper = runtime.connection.webhook?.hooks
  const secret = runtime.webhookSecret
  const memory: Memory = { said: undefined }
  while (!signal.aborted) {
    let pause = usual
    try {
      const early = session.quietUntil - now(session)
      if (early > 0) pause = early
      else if (keeper !== undefined && secret !== undefined) await once(session, keeper, { url: url(), secret }, memory)
    } catch (error) {
      if (!isSourceError(error)) throw error
      if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, error.reserve)
      pause = error instanceof RateLimited ? Math.max(1000, error.retryAt - now(session)) : afterTrouble
      ports.log('warn', 'webhooks could not be looked after', { source: runtime.name, pause, ...describeError(error) })
    }
    await ports.clock.sleep(pause, signal)
  }
}

/** What was last said of them, so that only what is new is written. */
interface Memory {
  said: HookState | undefined
}

/** Called at start where the configuration does not let Catchment look after webhooks: those that it made are said. */
export async function leaveHooks({ ports, source, fence }: Session): Promise<void> {
  const known = await ports.store.hooks(source.id)
  if (Object.keys(known).length > 0)
    await ports.store.saveHooks(fence, source.id, known, { managed: false, refused: [] })
}

async function once(
  session: Session,
  keeper: HookKeeper,
  target: Parameters<HookKeeper['keep']>[0],
  memory: Memory,
): Promise<void> {
  const { ports, runtime, source, signal, fence } = session
  const known = await ports.store.hooks(source.id)
  const kept = await asked(session, keeper.keep(target, known, signal))
  // Before anything else: a webhook that was made and forgotten would be made once more.
  const state = { managed: true, refused: kept.refused, remove: kept.remove ?? {} }
  if (!isDeepStrictEqual(kept.hooks, known) || !isDeepStrictEqual(state, memory.said)) {
    await ports.store.saveHooks(fence, source.id, kept.hooks, state)
    memory.said = state
  }
  const told = said(runtime.name, kept)
  for (const { message, fields } of told) ports.log('info', message, fields)
  const redelivered = await asked(session, keeper.redeliver(kept.hooks, signal))
  if (redelivered > 0) ports.log('info', 'missed deliveries are sent again', { source: runtime.name, redelivered })
  const { done, refused } = kept
  emit(session, { type: 'hooks', source: runtime.name, done, refused, redelivered })
}

async function asked<T>(session: Session, call: Promise<T>): Promise<T> {
  try {
    return await untilStopped(session, call)
  } catch (error) {
    throw asSourceError(error)
  }
}

function said(source: string, { done, refused }: HooksKept) {
  return [
    ...done.map(({ scope, what }) => ({ message: 'webhook kept', fields: { source, scope, what } })),
    ...refused.map(({ scope, reason }) => ({ message: 'no webhook here', fields: { source, scope, reason } })),
  ]
}
