import type { Json } from '../model/json.ts'
import { type Expression, evaluate, Failure } from './expression.ts'
import { itemContexts, itemInputs } from './items.ts'
import { compile, JqRuntimeError, type RunContext } from './jq/index.ts'
import { toJson } from './jq/json-write.ts'
import { allExpressions, type ItemsBlock, type ResourceBlock } from './parsed.ts'

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

/**
 * Runs the expressions of a mapping once more, telling what each part of them gave; where the selector is false only the
 * selector, as in earnest. For people; slow.
 */
export function traceResource(resource: ResourceBlock, body: Json, context: RunContext): ExpressionTrace[] {
  const { items } = resource
  if (items === undefined) return traceInput(resource, body, context)
  return [
    traceExpression(items.expression, body, context),
    ...inputsOf(items, body, context).flatMap(({ input, inner }, position) =>
      traceInput(resource, input, inner).map((trace) => ({ position, ...trace })),
    ),
  ]
}

function traceInput(resource: ResourceBlock, input: Json, context: RunContext): ExpressionTrace[] {
  const { selector, items } = resource
  const rest = allExpressions(resource).filter((one) => one !== items?.expression && one !== selector)
  const first = traceExpression(selector, input, context)
  return first.result === 'false' ? [first] : [first, ...rest.map((one) => traceExpression(one, input, context))]
}

/** How many items `itemsToParse` gives, and of how many the selector is false. Undefined: there is no such list. */
export function countItems(
  resource: ResourceBlock,
  body: Json,
  context: RunContext,
): { readonly items: number; readonly deselected: number } | undefined {
  const { items, selector } = resource
  if (items === undefined) return undefined
  const inputs = inputsOf(items, body, context)
  const deselected = inputs.filter(({ input, inner }) => evaluate(selector, input, inner) === false)
  return { items: inputs.length, deselected: deselected.length }
}

function inputsOf(items: ItemsBlock, body: Json, context: RunContext): { input: Json; inner: RunContext }[] {
  const list = evaluate(items.expression, body, context)
  if (!Array.isArray(list) || list instanceof Failure) return []
  const contexts = itemContexts(items, context)
  return [...itemInputs(items, body, list)].map((input, position) => ({ input, inner: contexts(position) }))
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
      steps.push({ part: wholePart(program.source, node.start, node.end), gave: toJson(output) })
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

/** With the other half of parentheses that stand around its first or last operand: they belong to no node. */
function wholePart(source: string, start: number, end: number): string {
  const part = source.slice(start, end)
  const [opened, closed] = unmatched(part)
  const before = new RegExp(`(?:\\(\\s*){${closed}}$`).exec(source.slice(0, start))?.[0] ?? ''
  const after = new RegExp(`^(?:\\s*\\)){${opened}}`).exec(source.slice(end))?.[0] ?? ''
  return before + part + after
}

function unmatched(part: string): readonly [opened: number, closed: number] {
  let [opened, closed] = [0, 0]
  for (const [sign] of part.replace(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[()]/g)) {
    if (sign === '(') opened += 1
    else if (opened > 0) opened -= 1
    else closed += 1
  }
  return [opened, closed]
}
