import { compile, JqRuntimeError, JqSyntaxError } from '../../core/mapping/jq/index.ts'
import { toJson } from '../../core/mapping/jq/json-write.ts'
import { evaluateText } from '../../core/mapping/jq/program.ts'
import { jsonTexts } from './mapping-input.ts'
import { print } from './output.ts'

export interface EvalOptions {
  readonly nullInput: boolean
  readonly slurp: boolean
  readonly rawOutput: boolean
  readonly compactOutput: boolean
  readonly exitStatus: boolean
}

type Value = Parameters<typeof toJson>[0]

/**
 * Exit status as jq's: 0; 2 input that is no JSON; 3 an expression that does not compile; 5 an evaluation that failed (the
 * next input is still tried); with `exitStatus` 1 when the last output is false or null, 4 when there was none.
 */
export function evalExpression(expression: string, options: EvalOptions, input: () => string): number {
  const now = Date.now() / 1000
  try {
    // Before input is waited for.
    compile(expression)
  } catch (error) {
    if (error instanceof JqSyntaxError) return refuse(expression, error)
    throw error
  }
  const inputs = options.nullInput ? { texts: ['null'], rest: '' } : jsonTexts(input())
  const texts = options.slurp ? [`[${inputs.texts.join(',')}]`] : inputs.texts
  const outputs: Value[] = []
  let status = 0
  for (const text of texts) {
    if (!isJson(text)) return complain(`the input is no JSON: ${text.slice(0, 60)}`, 2)
    try {
      evaluateText(
        expression,
        text,
        (value) => {
          print(format(value, options))
          outputs[0] = value
        },
        { now },
      )
    } catch (error) {
      if (!(error instanceof JqRuntimeError)) throw error
      status = complain(error.message, 5)
    }
  }
  if (inputs.rest !== '') return complain(`the input is no JSON: ${inputs.rest.slice(0, 60)}`, 2)
  if (status !== 0 || !options.exitStatus) return status
  const [last] = outputs
  if (last === undefined) return 4
  return last === false || last === null ? 1 : 0
}

/** JSON as jq reads it, which is a little more than JSON.parse does. */
function isJson(text: string): boolean {
  try {
    evaluateText('empty', text, () => undefined)
    return true
  } catch {
    return false
  }
}

/** A mistake in the expression, with a caret below it. */
function refuse(expression: string, { message, hint, offset }: JqSyntaxError): number {
  const start = expression.lastIndexOf('\n', offset - 1) + 1
  const line = expression.slice(start).split('\n', 1)[0] ?? ''
  const lines = [message, `  ${line}`, `  ${' '.repeat(offset - start)}^`, ...(hint === undefined ? [] : [`  ${hint}`])]
  return complain(lines.join('\n'), 3)
}

function complain(message: string, status: number): number {
  process.stderr.write(`error: ${message}\n`)
  return status
}

function format(value: Value, { rawOutput, compactOutput }: EvalOptions): string {
  if (rawOutput && typeof value === 'string') return value
  return compactOutput ? toJson(value) : indented(value, '')
}

/** Over several lines, as jq prints. */
function indented(value: Value, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(value) && value.length > 0) {
    return `[\n${value.map((item: Value) => inner + indented(item, inner)).join(',\n')}\n${indent}]`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isPlain(value)) return toJson(value)
  const members = Object.entries(value)
  if (members.length === 0) return '{}'
  return `{\n${members.map(([key, member]) => `${inner}${toJson(key)}: ${indented(member, inner)}`).join(',\n')}\n${indent}}`
}

/** An object of JSON, and not a number that keeps its text. */
function isPlain(value: object): value is { readonly [key: string]: Value } {
  return Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null
}
