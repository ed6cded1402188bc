import type { Json } from '../../model/json.ts'
import type { Node } from './ast.ts'
import { type Budget, defaultBudget, startMeter } from './budget.ts'
import { Cell, type Env, gather } from './code.ts'
import { Compiler } from './compile.ts'
import { firstOf } from './control.ts'
import { Exhausted, JqRuntimeError, JqSyntaxError, Raised } from './errors.ts'
import { fromJson } from './json-read.ts'
import { toJson } from './json-write.ts'
import { finish, finishPart } from './output.ts'
import { parse } from './parser.ts'
import { NeedsText, precision } from './precision.ts'
import { run } from './run.ts'
import { type Scope, withCell } from './scope.ts'
import type { Trace } from './trace.ts'
import type { Value } from './value.ts'

export interface CompileOptions {
  /** Names of `$variables` that are given with each run. One named `env` is what `env` and `$ENV` read. */
  readonly variables?: readonly string[]
  /** Told what each part of the program gave; costs time, so leave it out unless somebody looks. */
  readonly trace?: Trace
}

export interface RunContext {
  readonly variables?: Readonly<Record<string, Json>>
  /** Seconds since the epoch, for `now`. Without it `now` is an error. */
  readonly now?: number
  readonly budget?: Budget
  /** The JSON text of the input, asked for only if an expression looks at a number above 2^53. */
  readonly text?: () => string
}

export interface Program {
  readonly source: string
  readonly ast: Node
  /** Whether there is at most one output, which is the cheap kind of program. */
  readonly single: boolean
  /** The first output; undefined if there is none. Throws JqRuntimeError. */
  first(input: Json, context?: RunContext): Json | undefined
  /** All outputs. Throws JqRuntimeError. */
  all(input: Json, context?: RunContext): Json[]
}

/** Compile an expression. Throws JqSyntaxError, also for what is refused or not defined. */
export function compile(source: string, options: CompileOptions = {}): Program {
  const { code, names, ast } = prepare(source, options)
  const first = firstOf(code)
  const none = names.length === 0
  const hand = code.part === true ? finishPart : finish
  return {
    source,
    ast,
    single: code.one !== null,
    first(input, context) {
      // Written out, since this is called a dozen times for each item that a source has.
      const env = begin(context, names, none)
      try {
        const result = first(env, input)
        return result === undefined ? undefined : hand(result)
      } catch (error) {
        return again(error, context, () => {
          const result = first(env, inputAgain(context))
          return result === undefined ? undefined : finish(result)
        })
      }
    },
    all(input, context) {
      const env = begin(context, names, none)
      try {
        return gather(code, env, input).map(hand)
      } catch (error) {
        return again(error, context, () => gather(code, env, inputAgain(context)).map(finish))
      }
    },
  }
}

/** Each output over JSON text, numbers with all their digits. For tests and tools that compare with jq. */
export function evaluateText(source: string, text: string, emit: (value: Value) => void, context?: RunContext): void {
  const { code, names } = prepare(source, {})
  const env = begin(context, names, false)
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
    return { code: new Compiler(source, options.trace).compile(ast, scope), names, ast }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const whole = { start: 0, end: source.length }
    throw new JqSyntaxError('expression_syntax', 'the expression nests too deeply', whole)
  }
}

function begin(context: RunContext | undefined, names: readonly string[], none: boolean): Env {
  startMeter(context?.budget ?? defaultBudget)
  run.now = context?.now
  precision.recoverable = context?.text !== undefined
  if (none) return null
  let env: Env = null
  for (const name of names) env = new Cell(context?.variables?.[name] ?? null, null, env)
  return env
}

/** An evaluation that met a number it must know exactly is run again over the text; other errors are translated. */
function again<T>(error: unknown, context: RunContext | undefined, work: () => T): T {
  if (!(error instanceof NeedsText) || context?.text === undefined) throw explain(error)
  startMeter(context.budget ?? defaultBudget)
  precision.recoverable = false
  try {
    return work()
  } catch (other) {
    throw explain(other)
  }
}

function inputAgain(context: RunContext | undefined): Value {
  return fromJson(context?.text?.() ?? 'null')
}

function explain(error: unknown): unknown {
  if (error instanceof Raised) {
    const { value } = error
    if (typeof value === 'string') return new JqRuntimeError('expression_failed', value)
    return new JqRuntimeError('expression_failed', `(not a string): ${toJson(value)}`, value)
  }
  if (error instanceof Exhausted) return new JqRuntimeError('expression_budget', error.message)
  if (error instanceof RangeError) {
    return new JqRuntimeError('expression_budget', 'the expression nests deeper than the stack')
  }
  return error
}
