import type { Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { offsetInFile } from './align.ts'
import type { Report, TextRange } from './diagnostic.ts'
import { compile, JqRuntimeError, JqSyntaxError, type Program, type RunContext } from './jq/index.ts'
import { Exact } from './jq/numbers.ts'
import type { Value } from './jq/value.ts'
import { rewriteSingleQuotes } from './quotes.ts'
import type { YamlScalar } from './yaml.ts'

/** One expression of a mapping file, compiled, with everything an error about it has to say. */
export interface Expression {
  readonly kind: 'expression'
  /** As written. */
  readonly text: string
  readonly field: string
  readonly scalar: YamlScalar
  /** Absent: it does not compile, and every evaluation is a failure that says so. */
  readonly program: Program | undefined
  /** The value of an expression that always gives the same one. */
  readonly constant: Json | undefined
  /** A problem of this expression; only code and message are missing. */
  readonly place: Omit<Problem, 'code' | 'message'>
  /** Why there is no program. */
  readonly broken: Failure | undefined
  /** The file's range of a range of the compiled text, for findings about a part of it. */
  range(node: { readonly start: number; readonly end: number }): TextRange
}

/** An evaluation that failed. A value, since failures are kept, counted and shown. */
export class Failure {
  readonly problem: Problem
  constructor(problem: Problem) {
    this.problem = problem
  }
}

export interface ExpressionSite {
  readonly report: Report
  readonly mapping: string
  readonly field: string
}

/** Compiles what stands in a scalar. A mistake is reported at its place in the file and kept in the expression. */
export function compileExpression(site: ExpressionSite, scalar: YamlScalar): Expression {
  const { report, mapping, field } = site
  const text = scalar.text
  const rewritten = rewriteSingleQuotes(text)
  const start = report.source.position(scalar.range.start)
  const place = { mapping, field, expression: text, file: report.source.file, line: start.line, column: start.column }
  const range = (node: { readonly start: number; readonly end: number }): TextRange => ({
    start: offsetInFile(report.source, scalar, rewritten.original(node.start)),
    end: offsetInFile(report.source, scalar, rewritten.original(node.end)),
  })
  try {
    const program = compile(rewritten.text, { variables: ['env'] })
    const constant = program.ast.kind === 'literal' ? (program.first(null) ?? null) : undefined
    return {
      kind: 'expression',
      text,
      field,
      scalar,
      program,
      constant,
      place,
      broken: undefined,
      range,
    }
  } catch (error) {
    if (!(error instanceof JqSyntaxError)) throw error
    const at = range({ start: error.offset, end: error.offset + Math.max(1, error.length) })
    report.error(error.code, at, error.message, { hint: error.hint ?? plainWordHint(text, field), expression: text })
    const { line, column } = report.source.position(at.start)
    const broken = new Failure({ ...place, line, column, code: 'expression_failed', message: error.message })
    return {
      kind: 'expression',
      text,
      field,
      scalar,
      program: undefined,
      constant: undefined,
      place,
      broken,
      range,
    }
  }
}

/** The commonest mistake: a name where an expression that gives the name is needed. */
function plainWordHint(text: string, field: string): string | undefined {
  if (!/^[A-Za-z_][\w-]*$/.test(text)) return undefined
  const wanted = field === 'blueprint' ? `the blueprint itself is written '"${text}"'` : `the field is .${text}`
  return `this is an expression: ${wanted}, a fixed text '"${text}"'`
}

/** First output of the expression; null when it gives none, as absent is null. */
export function evaluate(expression: Expression, input: Json, context: RunContext): Json | Failure {
  if (expression.constant !== undefined) return expression.constant
  const { program } = expression
  if (program === undefined) return expression.broken ?? failure(expression, 'expression_failed', 'it does not compile')
  try {
    return program.first(input, context) ?? null
  } catch (error) {
    return caught(expression, error)
  }
}

/**
 * A value that names something, or several, keeps all digits of its numbers: with an id above 2^53 in it, it is taken from
 * the exact input again.
 */
export function exactly(expression: Expression, value: Json, context: RunContext): Value {
  const { program } = expression
  if (context.exact === undefined || program === undefined) return value
  if (!(Array.isArray(value) ? value.some(isLong) : isLong(value))) return value
  try {
    return program.exact(context) ?? null
  } catch (error) {
    if (error instanceof JqRuntimeError) return value
    throw error
  }
}

function isLong(value: Json): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value)
}

function caught(expression: Expression, error: unknown): Failure {
  if (error instanceof JqRuntimeError) return failure(expression, error.code, error.message)
  return failure(expression, 'expression_failed', error instanceof Error ? error.message : String(error))
}

export function failure(expression: Expression, code: Problem['code'], message: string): Failure {
  return new Failure({ ...expression.place, code, message })
}

/** A value in a message: its type, and the value where it is short. */
export function show(value: Value): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Exact) return `the number ${value.text}`
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
  return `the ${typeof value} ${String(value)}`
}
