// The switchboard: what goes wrong, for which requests, how often. Nothing here is kept over a restart.
import { z } from 'zod'

const kinds = [
  'delay',
  'error',
  'truncate',
  'html',
  'drop-page',
  'repeat-page',
  'half-listing',
  'cursor-loop',
  'lose-permission',
  'rate-limit-exhausted',
  'drop-delivery',
  'repeat-delivery',
  'delay-delivery',
] as const
export type FaultKind = (typeof kinds)[number]

export const faultInput = z.strictObject({
  kind: z.enum(kinds),
  match: z
    .strictObject({
      method: z.string().optional(),
      /** A regular expression on the path without /api/v3, or on `event.action` for deliveries. */
      path: z.string().optional(),
      page: z.int().positive().optional(),
    })
    .default({}),
  /** How many times it happens; without, until healed. */
  times: z.int().positive().optional(),
  /** delay, delay-delivery: milliseconds. */
  ms: z.int().nonnegative().default(1000),
  /** error: the status. */
  status: z.int().min(400).max(599).default(502),
  /** truncate: bytes that still arrive (default half), and whether Content-Length agrees with the cut. */
  bytes: z.int().nonnegative().optional(),
  honest: z.boolean().default(false),
  /** drop-page: the page answers `[]`, or the page before links past it. */
  how: z.enum(['empty', 'skip']).default('empty'),
  /** half-listing: the share that is still listed. */
  share: z.number().min(0).max(1).default(0.5),
  /** cursor-loop: the page that the next link leads to. */
  to: z.int().positive().default(1),
  /** repeat-delivery: how many copies beside the first. */
  copies: z.int().positive().default(1),
  /** lose-permission: which organisation, and how the loss shows. `fields` hides the named fields with status 200. */
  org: z.string().optional(),
  as: z.enum(['not-found', 'forbidden', 'saml', 'public-only', 'fields']).default('not-found'),
  fields: z.array(z.string()).default(['permissions', 'topics', 'description']),
  /** rate-limit-exhausted: seconds until the reset, and whether it is the secondary limit. */
  seconds: z.int().positive().default(60),
  secondary: z.boolean().default(false),
})
export type FaultInput = z.input<typeof faultInput>
export type Fault = z.output<typeof faultInput> & { id: number; hits: number; path?: RegExp; until: number }

export interface Asked {
  readonly method: string
  readonly path: string
  readonly page: number
}

export class Faults {
  readonly #faults = new Map<number, Fault>()
  readonly #now: () => number
  #next = 1

  /** `now` in milliseconds, by the clock of the rate limits. */
  constructor(now: () => number) {
    this.#now = now
  }

  add(input: z.output<typeof faultInput>): Fault {
    const path = input.match.path === undefined ? {} : { path: new RegExp(input.match.path) }
    const fault = { ...input, ...path, id: this.#next, hits: 0, until: this.#now() + input.seconds * 1000 }
    this.#next += 1
    this.#faults.set(fault.id, fault)
    return fault
  }

  list(): Omit<Fault, 'path'>[] {
    return [...this.#faults.values()].map(({ path: _path, ...fault }) => fault)
  }

  heal(id?: number): number {
    const before = this.#faults.size
    if (id === undefined) this.#faults.clear()
    else this.#faults.delete(id)
    return before - this.#faults.size
  }

  #fits(fault: Fault, asked: Asked, anyPage: boolean): boolean {
    if (fault.kind === 'rate-limit-exhausted' && this.#now() >= fault.until) return false
    if (fault.match.method !== undefined && fault.match.method.toUpperCase() !== asked.method) return false
    if (!anyPage && fault.match.page !== undefined && fault.match.page !== asked.page) return false
    return fault.path === undefined || fault.path.test(asked.path)
  }

  #use(fault: Fault): Fault {
    fault.hits += 1
    if (fault.times !== undefined && fault.hits >= fault.times) this.#faults.delete(fault.id)
    return fault
  }

  /** The first fault of this kind that fits; it counts as having happened. */
  take(kind: FaultKind, asked: Asked): Fault | undefined {
    for (const fault of this.#faults.values()) {
      if (fault.kind === kind && this.#fits(fault, asked, false)) return this.#use(fault)
    }
    return undefined
  }

  /** `drop-page` by `skip` concerns the page before the lost one. */
  takeSkip(asked: Asked): boolean {
    for (const fault of this.#faults.values()) {
      if (fault.kind !== 'drop-page' || fault.how !== 'skip' || fault.match.page !== asked.page + 1) continue
      if (this.#fits(fault, asked, true)) return this.#use(fault) !== undefined
    }
    return false
  }

  takeEmpty(asked: Asked): boolean {
    for (const fault of this.#faults.values()) {
      if (fault.kind !== 'drop-page' || fault.how !== 'empty') continue
      if (this.#fits(fault, asked, false)) return this.#use(fault) !== undefined
    }
    return false
  }

  /** What a request has lost of an organisation. It is a state, not an event, so `times` counts requests. */
  lost(org: string, asked: Asked): Fault | undefined {
    for (const fault of this.#faults.values()) {
      if (fault.kind !== 'lose-permission' || !this.#fits(fault, asked, false)) continue
      if (fault.org === undefined || fault.org.toLowerCase() === org.toLowerCase()) return this.#use(fault)
    }
    return undefined
  }

  /** Whether an organisation has vanished altogether, without counting a hit. */
  hides(org: string): boolean {
    return [...this.#faults.values()].some(
      (fault) =>
        fault.kind === 'lose-permission' &&
        fault.as === 'not-found' &&
        fault.path === undefined &&
        (fault.org === undefined || fault.org.toLowerCase() === org.toLowerCase()),
    )
  }

  forDelivery(event: string, action: string | null): { drop: boolean; copies: number; delay: number } {
    const asked = { method: 'POST', path: action === null ? event : `${event}.${action}`, page: 1 }
    return {
      delay: this.take('delay-delivery', asked)?.ms ?? 0,
      drop: this.take('drop-delivery', asked) !== undefined,
      copies: this.take('repeat-delivery', asked)?.copies ?? 0,
    }
  }
}
