import {
  BadAnswer,
  CatchmentError,
  CredentialRefused,
  RateLimited,
  ScopeUnreadable,
  SourceUnavailable,
} from '../sdk/index.ts'

export class SourceUnknown extends CatchmentError {
  constructor(source: string) {
    super(`There is no source called "${source}".`, {
      code: 'source_unknown',
      status: 404,
      hint: 'The name is the one in catchment.yaml; the webhook path ends with it.',
    })
  }
}

/** The inbox is full. Most senders do not try again, so the gap is recorded: the source will be scanned. */
export class Backlogged extends CatchmentError {
  readonly retryAfterSeconds: number

  constructor(source: string, waiting: number, retryAfterSeconds: number) {
    super(`${waiting} deliveries of "${source}" wait to be applied; no more are taken for now.`, {
      code: 'deliveries_backlogged',
      status: 503,
      hint: 'Nothing is lost for good: the source is scanned once the backlog is applied.',
      details: { waiting, retryAfterSeconds },
    })
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The mapping of this process is neither the active one nor allowed to become it. */
export class MappingPending extends CatchmentError {
  constructor(source: string) {
    super(`The mapping of "${source}" has changed and is not applied.`, {
      code: 'mapping_pending',
      exitCode: 3,
      hint: 'Look at what it would do with `catchment plan`, then start with --apply.',
    })
  }
}

/** The source asked us to wait before this call; nothing was sent. */
export class Quiet extends Error {
  readonly until: number

  constructor(until: number) {
    super('The source asked us to wait.')
    this.until = until
  }
}

/** The engine stops, or this session's lease is gone. */
export class Stopped extends Error {}

/** Tells what the source did wrong from what the database did. */
export class ListingBroke extends Error {
  override readonly cause: unknown

  constructor(cause: unknown) {
    super('the listing broke')
    this.cause = cause
  }
}

/** What an integration says about its source. Trouble with the database is something else. */
export function isSourceError(error: unknown): boolean {
  return [RateLimited, ScopeUnreadable, BadAnswer, SourceUnavailable, CredentialRefused].some(
    (kind) => error instanceof kind,
  )
}

/** What an integration throws without saying what it means is trouble with its source, never with ours. */
export function asSourceError(error: unknown): unknown {
  if (isSourceError(error) || error instanceof Stopped || error instanceof Quiet) return error
  return new SourceUnavailable(error instanceof Error ? error.message : String(error), error)
}

/** As it is stored beside a delivery or a source, for people. */
export function describeError(error: unknown): { code: string; message: string; hint?: string } {
  if (error instanceof CatchmentError) {
    return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
  }
  return { code: 'unexpected', message: error instanceof Error ? error.message : String(error) }
}
