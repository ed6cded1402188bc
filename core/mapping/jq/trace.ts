import type { Node } from './ast.ts'
import type { Code } from './code.ts'
import type { Value } from './value.ts'

/** Told what each part of a program gave, in the order in which it happened. */
export type Trace = (node: Node, input: Value, output: Value) => void

export function traced(code: Code, node: Node, trace: Trace): Code {
  const { one } = code
  const watched: Code = {
    one:
      one === null
        ? null
        : (env, input) => {
            const value = one(env, input)
            if (value !== undefined) trace(node, input, value)
            return value
          },
    each: (env, input, emit) =>
      code.each(env, input, (value) => {
        trace(node, input, value)
        return emit(value)
      }),
    walk: (env, input, place, emit) =>
      code.walk(env, input, place, (value, found) => {
        trace(node, input, value)
        return emit(value, found)
      }),
  }
  return watched
}
