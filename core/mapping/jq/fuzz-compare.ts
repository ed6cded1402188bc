import { JqRuntimeError, JqSyntaxError } from './errors.ts'
import type { FuzzCase } from './fuzz-generate.ts'
import type { Answer } from './fuzz-oracle.ts'
import { toJson } from './json-write.ts'
import { evaluateText } from './program.ts'
import { suiteBudget } from './suite.ts'

/** What we say to a program, in the shape of jq's answer. */
export function ourAnswer({ program, input }: FuzzCase): Answer {
  const outputs: string[] = []
  try {
    evaluateText(program, input, (value) => outputs.push(toJson(value)), { now: 0, budget: suiteBudget })
    return { outputs, error: null, rejected: false }
  } catch (error) {
    if (error instanceof JqSyntaxError) return { outputs: [], error: `${error.code}: ${error.message}`, rejected: true }
    if (error instanceof JqRuntimeError) return { outputs, error: error.message, rejected: false }
    throw error
  }
}

/** Differences that are known and stay, each with the reason. */
interface Known {
  readonly reason: string
  applies(test: FuzzCase, ours: Answer, theirs: Answer): boolean
}

const mathNames =
  /\b(sin|cos|tan|a?sinh?|a?cosh?|a?tanh?|atan2|exp\w*|log\w*|pow|cbrt|gamma|lgamma\w*|tgamma|j[01n]|y[01n]|erfc?|hypot|significand|drem|remainder|fma|ldexp)\b/

const known: readonly Known[] = [
  {
    reason: 'a mathematical function differs in the last digits from the C library of the WebAssembly build',
    applies: ({ program }, ours, theirs) =>
      mathNames.test(program) && sorted(rounded(all(ours))) === sorted(rounded(all(theirs))),
  },
  {
    reason: 'keys that look like integers come first in objects of JavaScript',
    // The keys are in the answer, or they were made and only their values are in it.
    applies: ({ program }, ours, theirs) =>
      (/"\\?"?\d+\\?":|"\d+"|&quot;\d+&quot;:/.test(all(theirs)) || /\b(from|with)_entries\b/.test(program)) &&
      sorted(all(ours)) === sorted(all(theirs)),
  },
  {
    reason: 'jq finds no gamma in the WebAssembly build; with glibc it is lgamma',
    applies: (_test, _ours, theirs) => all(theirs).includes('not found at build time'),
  },
  {
    reason: 'a time that is not a number is undefined behaviour in C',
    applies: (_test, ours) => all(ours).includes('seconds since epoch'),
  },
]

function all({ outputs, error }: Answer): string {
  return [...outputs, String(error)].join('\n')
}

function sorted(text: string): string {
  return Array.from(text).sort().join('')
}

/** Numbers to ten digits. */
function rounded(text: string): string {
  return text.replace(/-?\d+(\.\d+)?([eE][+-]?\d+)?/g, (number) => {
    const value = Number(number)
    return Math.abs(value) < 1e-12 ? '0' : value.toPrecision(10)
  })
}

/** Null where the answers agree; otherwise why they may differ, or that they must not. */
export function compareAnswers(test: FuzzCase, ours: Answer, theirs: Answer): { known: string | null } | null {
  if (ours.rejected && theirs.rejected) return null
  if (ours.rejected === theirs.rejected && all(ours) === all(theirs)) return null
  return { known: known.find((each) => each.applies(test, ours, theirs))?.reason ?? null }
}
