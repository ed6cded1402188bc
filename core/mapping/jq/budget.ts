import { Exhausted } from './errors.ts'

/** What one evaluation may use. An expression that needs more is an error of that item, never a stalled process. */
export interface Budget {
  /** Outputs, loop turns and copied elements, roughly ten to a microsecond. */
  readonly steps: number
  /** Size of any string made and of each output, in characters of JSON. */
  readonly outputBytes: number
  /** Nested calls of recursive definitions, and nesting of an output. */
  readonly depth: number
  /** Processor time, looked at every thousand steps. */
  readonly milliseconds: number
}

export const defaultBudget: Budget = { steps: 500_000, outputBytes: 4_000_000, depth: 400, milliseconds: 40 }

/**
 * Processor time of this thread, in milliseconds: an expression must not fail because the machine was busy with something
 * else. Older versions of Node only have the time of day.
 */
const clock: () => number =
  typeof process.threadCpuUsage === 'function'
    ? () => {
        const { user, system } = process.threadCpuUsage()
        return (user + system) / 1000
      }
    : () => performance.now()

/** Steps between two looks at the clock. */
const stride = 1024

/**
 * The meter of the evaluation under way. Evaluation is synchronous and does not nest, so there is one; passing it through
 * every closure would cost more than counting does. The clock decides whether an evaluation is cut off and never a value.
 */
export const meter = {
  /** Steps until the next look at the clock. */
  slice: 0,
  /** Steps left after this slice. */
  rest: 0,
  depth: 0,
  /** Whether the clock has been looked at. */
  started: false,
  deadline: 0,
  /** The first slice, and limits that are looked at often. */
  first: stride,
  depthLimit: defaultBudget.depth,
  outputBytes: defaultBudget.outputBytes,
  limits: defaultBudget,
}

export function startMeter(budget: Budget): void {
  if (meter.limits !== budget) {
    meter.limits = budget
    meter.first = Math.min(stride, budget.steps)
    meter.depthLimit = budget.depth
    meter.outputBytes = budget.outputBytes
  }
  meter.slice = meter.first
  meter.rest = budget.steps - meter.first
  meter.depth = 0
  meter.started = false
}

/** Count one step. */
export function step(): void {
  if (--meter.slice < 0) refill()
}

/** Count `n` steps at once, before doing work of that size. */
export function steps(n: number): void {
  meter.slice -= n
  if (meter.slice < 0) refill()
}

function refill(): void {
  while (meter.slice < 0) {
    if (meter.rest <= 0) throw new Exhausted(`the expression needs more than ${meter.limits.steps} steps`)
    if (meter.rest + meter.slice < 0) {
      meter.rest = 0
      continue
    }
    const next = Math.min(Math.max(stride, -meter.slice), meter.rest)
    meter.slice += next
    meter.rest -= next
  }
  const now = clock()
  // Nearly all evaluations end within the first slice, and never look at the clock.
  if (!meter.started) {
    meter.started = true
    meter.deadline = now + meter.limits.milliseconds
  } else if (now > meter.deadline) {
    throw new Exhausted(`the expression runs longer than ${meter.limits.milliseconds} ms`)
  }
}

/** Refuse to make a string of this length. */
export function checkLength(length: number): void {
  if (length > meter.outputBytes) {
    throw new Exhausted(`the expression makes more than ${meter.limits.outputBytes} bytes`)
  }
}

/** One level deeper; the caller takes `meter.depth` back by one when it is done, unless something was thrown. */
export function descend(): void {
  if (++meter.depth > meter.depthLimit) tooDeep()
}

export function tooDeep(): never {
  throw new Exhausted(`the expression nests deeper than ${meter.limits.depth}`)
}
