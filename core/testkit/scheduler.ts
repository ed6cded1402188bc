import { createHash } from 'node:crypto'
import type { Random } from './random.ts'

/** One process of the simulation. Everything that it does is a request that waits until the scheduler grants it. */
export interface Owner {
  readonly name: string
  /** It was killed: nothing that it asks for is granted any more. */
  dead: boolean
  /** It is stopped (SIGSTOP) until this step. */
  pausedUntil: number
}

export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

/** How an effect ends that did not end at once: it waits for a lock. */
export interface Effect {
  readonly owner: Owner
  /** What is granted, for the trace and for people. The same in every run of the seed. */
  readonly label: string
  /** Runs the effect. Called once, when it is granted. */
  start(): Promise<unknown>
  /** Answers true when the started effect waits for a lock that another holds; asked while it does not end. */
  blocked?(finished: Promise<Outcome>): Promise<boolean>
  /** How it ends when its process is killed before the grant. Absent: whoever asked never hears again. */
  killed?(): Promise<Outcome>
}

/** Real milliseconds in which nothing came back. */
const stuckAfter = 120_000

interface Waiting {
  readonly effect: Effect
  readonly settle: (outcome: Outcome) => void
  /** Of a timer: virtual milliseconds. */
  due?: number
  /** It ran, was blocked, and has ended: what is granted is that its asker goes on. */
  outcome?: Outcome
}

interface Blocked {
  readonly waiting: Waiting
  readonly finished: Promise<Outcome>
  outcome?: Outcome
}

/**
 * Grants one effect at a time. Nothing runs between two grants, so the same seed makes the same run: code between effects
 * is promises alone, and those are done once the event loop has turned.
 */
export class Scheduler {
  readonly #random: Random
  readonly #hash = createHash('sha256')
  readonly #story: string[] = []
  #waiting: Waiting[] = []
  #blocked: Blocked[] = []
  /** Work that asked for something outside of the gates (a connection of the pool) and will come back by itself. */
  busy = 0
  steps = 0
  /** Virtual milliseconds since the epoch; never goes back. What a process reads may. */
  now: number

  constructor(random: Random, now: number) {
    this.#random = random
    this.now = now
  }

  /** Waits for the grant, runs the effect, answers what it answered. */
  gate<T>(effect: Effect, due?: number): Promise<T> {
    // Forever: a process that was killed does nothing any more, not even fail.
    if (effect.owner.dead && effect.killed === undefined) return new Promise(() => undefined)
    return new Promise<T>((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if (outcome.ok) resolve(outcome.value as T)
        else reject(outcome.error)
      }
      if (effect.owner.dead) void this.#unwind(effect, settle)
      else this.#waiting.push({ effect, settle, ...(due === undefined ? {} : { due }) })
    })
  }

  sleep(owner: Owner, milliseconds: number, signal?: AbortSignal): Promise<void> {
    const effect: Effect = { owner, label: 'timer', start: () => Promise.resolve() }
    const result = this.gate<void>(effect, this.now + Math.max(0, milliseconds))
    const timer = this.#waiting.at(-1)
    if (signal !== undefined && timer?.effect === effect) {
      const early = (): void => {
        timer.due = 0
      }
      if (signal.aborted) early()
      else signal.addEventListener('abort', early, { once: true })
    }
    return result
  }

  /** Until nothing runs any more and everybody waits for a grant. */
  async quiet(): Promise<void> {
    const began = performance.now()
    do {
      await new Promise((resolve) => setImmediate(resolve))
      // Real time, and only to end a run that can never go on with a word about it.
      if (performance.now() - began > stuckAfter)
        throw new Error(`the simulation is stuck: ${this.busy} uses never asked for their grant`)
    } while (this.busy > 0)
  }

  /** Grants one effect that may run now. False: everybody waits for time, for a lock, or is stopped. */
  async grant(): Promise<boolean> {
    const able = this.#waiting.filter(
      ({ due, effect }) => (due === undefined || due <= this.now) && effect.owner.pausedUntil <= this.steps,
    )
    if (able.length === 0) return false
    await this.#run(this.#random.pick(able))
    return true
  }

  /** Lets time pass until the next timer of somebody who is not stopped. False: there is none. */
  passTime(): boolean {
    const due = this.#waiting.flatMap((each) =>
      each.due === undefined || each.effect.owner.pausedUntil > this.steps ? [] : [each.due],
    )
    if (due.length === 0) return false
    this.now = Math.max(this.now, Math.min(...due))
    return true
  }

  get blocked(): number {
    return this.#blocked.length
  }

  /** A step that is no effect of a process: something that happens to the world, a fault, a crash. */
  note(label: string): void {
    this.steps += 1
    this.#tell('', label)
  }

  /** A line for the story that is not part of the trace. */
  remark(text: string): void {
    this.#story.push(`          ${text}`)
  }

  /** The last steps, oldest first. */
  story(lines: number): readonly string[] {
    return this.#story.slice(-lines)
  }

  /** Digest of everything that was granted so far. */
  trace(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  /** Its process is dead: statements are cut off so that their transactions roll back, everything else never comes. */
  async kill(owner: Owner, cancel: (effect: Effect) => Promise<void>): Promise<void> {
    owner.dead = true
    const mine = this.#waiting.filter(({ effect }) => effect.owner === owner)
    this.#waiting = this.#waiting.filter(({ effect }) => effect.owner !== owner)
    for (const { effect, settle } of mine) await this.#unwind(effect, settle)
    for (const blocked of this.#blocked.filter(({ waiting }) => waiting.effect.owner === owner)) {
      await cancel(blocked.waiting.effect)
      await blocked.finished
      this.#blocked.splice(this.#blocked.indexOf(blocked), 1)
      await this.#unwind(blocked.waiting.effect, blocked.waiting.settle)
    }
    await this.quiet()
    await this.recheck()
  }

  async #unwind(effect: Effect, settle: (outcome: Outcome) => void): Promise<void> {
    if (effect.killed === undefined) return
    this.busy += 1
    settle(await effect.killed())
    this.busy -= 1
  }

  async #run(waiting: Waiting): Promise<void> {
    const { effect, settle } = waiting
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
    this.steps += 1
    if (waiting.outcome !== undefined) {
      this.#tell(effect.owner.name, `${effect.label} goes on`, waiting.outcome)
      settle(waiting.outcome)
      return
    }
    let outcome: Outcome | undefined
    const finished = outcomeOf(effect.start()).then((ended) => (outcome = ended))
    if (effect.blocked === undefined) await finished
    else if (await effect.blocked(finished)) {
      this.#tell(effect.owner.name, `${effect.label} waits for a lock`)
      const blocked: Blocked = { waiting, finished }
      void finished.then((late) => (blocked.outcome = late))
      this.#blocked.push(blocked)
      return
    }
    const ended = outcome ?? (await finished)
    this.#tell(effect.owner.name, effect.label, ended)
    settle(ended)
  }

  /** Somebody gave up locks: who waited for them may have got on. In the order in which they began to wait. */
  async recheck(): Promise<void> {
    if (this.#blocked.length === 0) return
    // First those go on that were not blocked, so that the order in which they ask does not hang on a race.
    await this.quiet()
    for (const blocked of this.#blocked.slice()) {
      if (await blocked.waiting.effect.blocked?.(blocked.finished)) continue
      const outcome = blocked.outcome ?? (await blocked.finished)
      this.#blocked.splice(this.#blocked.indexOf(blocked), 1)
      this.#waiting.push({ ...blocked.waiting, outcome })
    }
  }

  /** Those who wait for a lock, longest first. */
  waitingForLocks(): readonly Effect[] {
    return this.#blocked.map(({ waiting }) => waiting.effect)
  }

  #tell(who: string, label: string, outcome?: Outcome): void {
    const failed = outcome !== undefined && !outcome.ok ? ` ! ${nameOf(outcome.error)}` : ''
    const line = `${who} ${label}${failed}`
    this.#hash.update(`${line}\n`)
    this.#story.push(`${String(this.steps).padStart(8)}  ${line}`)
    if (this.#story.length > 40_000) this.#story.splice(0, 20_000)
  }
}

export function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  return work.then(
    (value): Outcome => ({ ok: true, value }),
    (error: unknown): Outcome => ({ ok: false, error }),
  )
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name
}
