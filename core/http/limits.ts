/** Bounds of one call. Times in milliseconds. */
export interface HttpLimits {
  /** One attempt, from the connection to the last byte of the body. */
  readonly attemptMs: number
  /** All attempts and the waits between them. */
  readonly overallMs: number
  /** Attempts of a safe request (GET, HEAD). Others are made once: their first answer may have had an effect. */
  readonly attempts: number
  /** Wait before the second attempt, doubled for each further one, with jitter. */
  readonly backoffMs: number
  readonly bodyBytes: number
  /** Connections to one host. */
  readonly connections: number
}

export const defaultLimits: HttpLimits = {
  attemptMs: 30_000,
  overallMs: 90_000,
  attempts: 5,
  backoffMs: 250,
  bodyBytes: 32 * 1024 * 1024,
  connections: 32,
}
