import type { Json } from '../model/json.ts'
import { type Expression, evaluate, Failure } from './expression.ts'
import { itemContexts, itemInputs } from './items.ts'
import { compile, JqRuntimeError, type RunContext } from './jq/index.ts'
import { toJson } from './jq/json-write.ts'
import { allExpressions, type ResourceBlock } from './parsed.ts'

/** What one expression did over one input. */
export interface ExpressionTrace {
  /** Position in itemsToParse; absent when the mapping has none. */
  readonly position?: number
  readonly field: string
  readonly expression: string
  /** Each part of the expression that gave something, in the order in which it happened; values as JSON text. */
  readonly steps: readonly { readonly part: string; readonly gave: string }[]
  /** The first output as JSON text; null when there is none. */
  readonly result: string | null
  readonly error?: string
}

const mostSteps = 200

/** Runs every expression of a mapping once more, telling what each part of it gave. For people; slow. */
export function traceResource(resource: ResourceBlock, body: Json, context: RunContext): ExpressionTrace[] {
  const { items } = resource
  const expressions = allExpressions(resource).filter((expression) => expression !== items?.expression)
  if (items === undefined) return expressions.map((expression) => traceExpression(expression, body, context))
  const list = evaluate(items.expression, body, context)
  const found = Array.isArray(list) && !(list instanceof Failure) ? itemInputs(items, body, list) : []
  const contexts = itemContexts(items, context)
  return [
    traceExpression(items.expression, body, context),
    ...found.flatMap((input, position) =>
      expressions.map((expression) => ({ position, ...traceExpression(expression, input, contexts(position)) })),
    ),
  ]
}

export function traceExpression(expression: Expression, input: Json, context: RunContext): ExpressionTrace {
  const { field, text, program, broken } = expression
  if (program === undefined) {
    return { field, expression: text, steps: [], result: null, error: broken?.problem.message ?? 'it does not compile' }
  }
  const steps: { part: string; gave: string }[] = []
  const traced = compile(program.source, {
    variables: ['env'],
    trace: (node, _, output) => {
      if (node.kind === 'literal' || node.kind === 'identity' || steps.length >= mostSteps) return
      steps.push({ part: program.source.slice(node.start, node.end), gave: toJson(output) })
    },
  })
  try {
    const result = traced.first(input, context)
    return { field, expression: text, steps, result: result === undefined ? null : toJson(result) }
  } catch (error) {
    const message = error instanceof JqRuntimeError ? error.message : String(error)
    return { field, expression: text, steps, result: null, error: message }
  }
}
