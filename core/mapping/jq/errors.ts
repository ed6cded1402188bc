import type { Value } from './value.ts'

/** The expression cannot be compiled. `offset` and `length` are positions in the expression text, in UTF-16 units. */
export class JqSyntaxError extends Error {
  readonly code: 'expression_syntax' | 'expression_refused' | 'expression_undefined'
  readonly offset: number
  readonly length: number
  readonly hint?: string

  constructor(code: JqSyntaxError['code'], message: string, at: { start: number; end: number }, hint?: string) {
    super(message)
    this.name = 'JqSyntaxError'
    this.code = code
    this.offset = at.start
    this.length = at.end - at.start
    if (hint !== undefined) this.hint = hint
  }
}

/** An evaluation failed. The message is exactly jq's; `value` is what was raised, when it was not a string. */
export class JqRuntimeError extends Error {
  readonly code: 'expression_failed' | 'expression_budget'
  readonly value?: Value

  constructor(code: JqRuntimeError['code'], message: string, value?: Value) {
    super(message)
    this.name = 'JqRuntimeError'
    this.code = code
    if (value !== undefined) this.value = value
  }
}

/**
 * What the evaluator throws for a jq error. It is no Error: expressions raise and catch all the time (`try`, `?`), and
 * recording a stack for each would cost more than the evaluation.
 */
export class Raised {
  readonly value: Value
  constructor(value: Value) {
    this.value = value
  }
}

/** A budget ran out. No `try` of an expression catches this one. */
export class Exhausted {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export function fail(message: string): never {
  throw new Raised(message)
}
