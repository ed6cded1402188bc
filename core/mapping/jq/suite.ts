import { startMeter } from './budget.ts'
import { JqRuntimeError, JqSyntaxError } from './errors.ts'
import { fromJson } from './json-read.ts'
import { toJson } from './json-write.ts'
import { equal } from './order.ts'
import { evaluateText } from './program.ts'
import type { Value } from './value.ts'

/** One case of a file in jq's test format: a program with an input and its outputs, or one that must not compile. */
export interface Case {
  readonly line: number
  readonly program: string
  readonly input: string
  readonly outputs: readonly string[]
  /** Lines of the message of a program that must fail to compile; null for one that runs. */
  readonly failure: readonly string[] | null
}

export type Outcome =
  | { readonly state: 'passed' }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'failed'; readonly reason: string }

/** More than a mapping gets: the suite nests and loops on purpose. */
export const suiteBudget = { steps: 50_000_000, outputBytes: 100_000_000, depth: 1500, milliseconds: 20_000 }

/** Groups of lines: program, input, outputs, an empty line. Comments stand between groups. */
export function parseSuite(text: string): Case[] {
  const lines = text.split('\n')
  const cases: Case[] = []
  const skipped = (line: string | undefined): boolean => line !== undefined && /^\s*(#|$)/.test(line)
  for (let at = 0; at < lines.length; at++) {
    if (skipped(lines[at])) continue
    const failing = lines[at]?.startsWith('%%FAIL') === true
    if (failing) at++
    const line = at + 1
    const program = lines[at] ?? ''
    const input = failing ? 'null' : (lines[++at] ?? 'null')
    const rest: string[] = []
    for (at++; at < lines.length && !skipped(lines[at]); at++) rest.push(lines[at] ?? '')
    cases.push({ line, program, input, outputs: failing ? [] : rest, failure: failing ? rest : null })
  }
  return cases
}

export function runCase(test: Case): Outcome {
  const { program, input, outputs, failure } = test
  const actual: Value[] = []
  let problem = ''
  try {
    evaluateText(program, input, (value) => actual.push(value), { now: 0, budget: suiteBudget })
  } catch (error) {
    if (error instanceof JqSyntaxError) return failedToCompile(error, failure, program)
    // A group whose outputs end in an error lists only the outputs before it.
    if (!(error instanceof JqRuntimeError)) {
      return { state: 'failed', reason: error instanceof Error ? error.message : String(error) }
    }
    problem = error.message
  }
  if (failure !== null) return { state: 'failed', reason: 'it compiles, but must not' }
  startMeter(suiteBudget)
  const expected = outputs.map((output) => fromJson(output))
  const same = expected.length === actual.length && expected.every((value, at) => sameValue(value, actual[at] ?? null))
  if (same) return { state: 'passed' }
  return { state: 'failed', reason: `got ${[...actual.map((value) => toJson(value)), problem].join(' ')}` }
}

/** As jq's own runner compares, except that not a number equals itself. */
function sameValue(expected: Value, actual: Value): boolean {
  return equal(expected, actual) || toJson(expected) === toJson(actual)
}

/** jq's message is the parser generator's where the syntax is wrong; then line and column must agree. */
function failedToCompile(error: JqSyntaxError, failure: Case['failure'], program: string): Outcome {
  if (error.code === 'expression_refused') return { state: 'refused', reason: error.message }
  if (failure === null) return { state: 'failed', reason: error.message }
  const [message = ''] = failure
  const [, line = '', column = ''] = /line (\d+), column (\d+):$/.exec(message) ?? []
  const before = program.slice(0, error.offset).split('\n')
  const here = `${before.length}:${Buffer.byteLength(before.at(-1) ?? '') + 1}`
  if (message.includes('unexpected end of file')) return { state: 'passed' }
  if (message.includes('syntax error') || message.includes(error.message)) {
    return here === `${line}:${column}` ? { state: 'passed' } : { state: 'failed', reason: `fails at ${here}` }
  }
  return { state: 'failed', reason: error.message }
}
