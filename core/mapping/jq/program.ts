import type { Json } from '../../model/json.ts'
import { parseLong } from '../../sdk/json.ts'
import { plainPath } from './access.ts'
import { type Budget, defaultBudget, startMeter } from './budget.ts'
import { Cell, type Env, gather } from './code.ts'
import { Compiler } from './compile.ts'
import { firstOf } from './control.ts'
import { Exhausted, JqRuntimeError, JqSyntaxError, Raised } from './errors.ts'
import { hot } from './hot.ts'
import { fromJson } from './json-read.ts'
import { toJson } from './json-write.ts'
import { parseNumber } from './numbers.ts'
import { finish, finishPart } from './output.ts'
import { parse } from './parser.ts'
import { NeedsText, precision } from './precision.ts'
import { run } from './run.ts'
import { type Scope, withCell } from './scope.ts'
import type { Sharer } from './share.ts'
import type { Trace } from './trace.ts'
import type { Value } from './value.ts'

export interface CompileOptions {
  /** Names of `$variables` that are given with each run. One named `env` is what `env` and `$ENV` read. */
  readonly variables?: readonly string[]
  /** Told what each part of the program gave; costs time, so leave it out unless somebody looks. */
  readonly trace?: Trace
  /** Runs before the expression becomes JavaScript of its own, for tests. */
  readonly warm?: number
}

export interface RunContext {
  readonly variables?: Readonly<Record<string, Json>>
  /** Seconds since the epoch, for `now`. Without it `now` is an error. */
  readonly now?: number
  readonly budget?: Budget
  /** The input with all digits of its numbers (`exactInput`), asked for only if an expression looks at one above 2^53. */
  readonly exact?: (() => Value) | undefined
}

export interface Program extends Sharer {
  readonly source: string
  /** Whether there is at most one output, which is the cheap kind of program. */
  readonly single: boolean
  /** The first output; undefined if there is none. Throws JqRuntimeError. */
  first(input: Json, context?: RunContext): Json | undefined
  /** All outputs. Throws JqRuntimeError. */
  all(input: Json, context?: RunContext): Json[]
  /** The first output over the exact input, numbers with all their digits. Throws JqRuntimeError. */
  exact(context: RunContext): Value | undefined
}

/** Compile an expression. Throws JqSyntaxError, also for what is refused or not defined. */
export function compile(source: string, options: CompileOptions = {}): Program {
  const { code: alone, names, ast, scope } = prepare(source, options)
  let code = alone
  let first = hot(code, options.warm) ?? { run: firstOf(code) }
  const enter = entrance(names)
  const path = options.trace === undefined && code.names !== undefined ? hot(plainPath(code.names), options.warm) : null
  const hand = code.part === true ? finishPart : finish
  return {
    source,
    ast,
    single: code.one !== null,
    first(input, context) {
      if (path !== null) {
        // Nine of ten expressions.
        const value = path.run(null, input)
        if (value !== undefined) return finishPart(value)
      }
      const env = enter(context)
      try {
        const result = first.run(env, input)
        return result === undefined ? undefined : hand(result)
      } catch (error) {
        return again(error, context, (exact) => {
          const result = first.run(env, exact)
          return result === undefined ? undefined : finish(result)
        })
      }
    },
    all(input, context) {
      const env = enter(context)
      try {
        return gather(code, env, input).map(hand)
      } catch (error) {
        return again(error, context, (exact) => gather(code, env, exact).map(finish))
      }
    },
    share(sharing) {
      startMeter(defaultBudget)
      code = new Compiler(source, options.trace, sharing).compile(ast, scope)
      first = hot(code, options.warm) ?? { run: firstOf(code) }
    },
    exact(context) {
      const env = enter(context)
      return again(new NeedsText(), context, (exact) => first.run(env, exact))
    },
  }
}

/** Each output over JSON text, numbers with all their digits. For tests and tools that compare with jq. */
export function evaluateText(source: string, text: string, emit: (value: Value) => void, context?: RunContext): void {
  const { code, names } = prepare(source, {})
  const env = entrance(names)(context)
  try {
    code.each(env, fromJson(text), (output) => {
      emit(output)
      return undefined
    })
  } catch (error) {
    throw explain(error)
  }
}

function prepare(source: string, options: CompileOptions) {
  const names = options.variables ?? []
  // Operators between literals are computed now.
  startMeter(defaultBudget)
  try {
    const ast = parse(source)
    const scope = names.reduce<Scope>((outer, name) => withCell(outer, 'variable', name), { names: null, depth: 0 })
    return { code: new Compiler(source, options.trace).compile(ast, scope), names, ast, scope }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const whole = { start: 0, end: source.length }
    throw new JqSyntaxError('expression_syntax', 'the expression nests too deeply', whole)
  }
}

/** What is done before each evaluation; it answers the environment, which stays for as long as the variables do. */
function entrance(names: readonly string[]): (context: RunContext | undefined) => Env {
  let variables: RunContext['variables']
  let env: Env = null
  return (context) => {
    startMeter(context?.budget ?? defaultBudget)
    run.now = context?.now
    precision.recoverable = context?.exact !== undefined
    if (names.length > 0 && (env === null || variables !== context?.variables)) {
      variables = context?.variables
      env = names.reduce<Env>((up, name) => new Cell(variables?.[name] ?? null, null, up), null)
    }
    return env
  }
}

/** An evaluation that met a number it must know exactly is run again over the exact input; other errors are translated. */
function again<T>(error: unknown, context: RunContext | undefined, work: (exact: Value) => T): T {
  if (!(error instanceof NeedsText) || context?.exact === undefined) throw explain(error)
  const exact = context.exact()
  startMeter(context.budget ?? defaultBudget)
  precision.recoverable = false
  try {
    return work(exact)
  } catch (other) {
    throw explain(other)
  }
}

/** JSON text as values in which whole numbers that a double cannot hold keep their digits. Throws SyntaxError. */
export function exactInput(text: string): Value {
  // What JSON.parse gives, with exact numbers in it, is a value.
  return parseLong(text, (digits) => parseNumber(digits) ?? null) as Value
}

function explain(error: unknown): unknown {
  if (error instanceof Raised) {
    const { value } = error
    if (typeof value === 'string') return new JqRuntimeError('expression_failed', value)
    // An error value may be too long to be written, or hold long numbers; it is told all the same.
    precision.recoverable = false
    try {
      return new JqRuntimeError('expression_failed', `(not a string): ${toJson(value)}`, value)
    } catch (tooMuch) {
      return explain(tooMuch)
    }
  }
  if (error instanceof Exhausted) return new JqRuntimeError('expression_budget', error.message)
  if (error instanceof RangeError) {
    return new JqRuntimeError('expression_budget', 'the expression nests deeper than the stack')
  }
  return error
}
