import { isDeepStrictEqual } from 'node:util'
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
  while (!signal.aborted) {
    let pause = usual
    try {
      const early = session.quietUntil - now(session)
      if (early > 0) pause = early
      else if (keeper !== undefined && secret !== undefined) await once(session, keeper, { url: url(), secret })
    } catch (error) {
      if (!isSourceError(error)) throw error
      if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, error.reserve)
      pause = error instanceof RateLimited ? Math.max(1000, error.retryAt - now(session)) : afterTrouble
      ports.log('warn', 'webhooks could not be looked after', { source: runtime.name, pause, ...describeError(error) })
    }
    await ports.clock.sleep(pause, signal)
  }
}

async function once(session: Session, keeper: HookKeeper, target: Parameters<HookKeeper['keep']>[0]): Promise<void> {
  const { ports, runtime, source, signal, fence } = session
  const known = await ports.store.hooks(source.id)
  const kept = await asked(session, keeper.keep(target, known, signal))
  // Before anything else: a webhook that was made and forgotten would be made once more.
  if (!isDeepStrictEqual(kept.hooks, known)) await ports.store.saveHooks(fence, source.id, kept.hooks)
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
