/** What every error that a person may read carries. `message` says what happened, `hint` what to do and who should. */
export interface ErrorDetails {
  /** Stable, snake_case, listed in docs/errors.md. */
  readonly code: string
  readonly hint?: string
  /** HTTP status when an API route lets it through. Default 500. */
  readonly status?: number
  /** Exit status of the CLI: 1 failed, 2 wrong usage or configuration, 3 unhealthy. Default 1. */
  readonly exitCode?: number
  /** Extra members of the problem document. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

export class CatchmentError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly status: number
  readonly exitCode: number
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = details.code
    this.hint = details.hint
    this.status = details.status ?? 500
    this.exitCode = details.exitCode ?? 1
    this.details = details.details ?? {}
  }
}

/**
 * The source asked us to wait, or our own budget for it is used up. The engine parks the scan until `retryAt`, frees the
 * slot and makes no call on this credential before; the partition's state does not change.
 */
export class RateLimited extends CatchmentError {
  /** Milliseconds since the epoch. */
  readonly retryAt: number
  /** Only the less urgent calls must wait: a listing came to the reserve, live reads may go on. */
  readonly reserve: boolean

  constructor(message: string, retryAt: number, options: { readonly reserve?: boolean } = {}) {
    super(message, { code: 'source_rate_limited', details: { retryAt: new Date(retryAt).toISOString() } })
    this.retryAt = retryAt
    this.reserve = options.reserve ?? false
  }
}

/** 401, 403 or 404 on a whole scope: what it holds is unknown, which is not the same as empty. Nothing is deleted. */
export class ScopeUnreadable extends CatchmentError {
  constructor(message: string, hint?: string) {
    super(message, { code: 'source_scope_unreadable', ...(hint === undefined ? {} : { hint }) })
  }
}

/** The answer cannot be used (HTML, cut off, wrong shape, a cursor that loops). The scan becomes incomplete with this reason. */
export class BadAnswer extends CatchmentError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'source_bad_answer', cause })
  }
}

/** A 5xx, a timeout or a broken connection that outlived its retries. The scan becomes incomplete; the next one tries again. */
export class SourceUnavailable extends CatchmentError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'source_unavailable', cause })
  }
}

/** The credential itself was refused (401 on `check`). A person must replace it; every partition of the source is unknown. */
export class CredentialRefused extends CatchmentError {
  constructor(message: string, hint?: string) {
    super(message, { code: 'source_credential_refused', exitCode: 2, ...(hint === undefined ? {} : { hint }) })
  }
}

/** A delivery that is not what it claims to be. Answered 401 or 400; nothing is stored. */
export class DeliveryRefused extends CatchmentError {
  constructor(
    message: string,
    details: {
      readonly code: 'delivery_unsigned' | 'delivery_signature' | 'delivery_malformed'
      readonly hint?: string
    },
  ) {
    super(message, { ...details, status: details.code === 'delivery_malformed' ? 400 : 401 })
  }
}
