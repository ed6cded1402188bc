import type { AssignOperator, BinaryOperator } from './ast.ts'
import { step } from './budget.ts'
import { type Code, type Env, many, single } from './code.ts'
import { firstOf } from './control.ts'
import { operation } from './operate.ts'
import { deletePaths, gatherPaths, PathWriter } from './paths.ts'
import { isTrue, type Value } from './value.ts'

/** `paths = value`: one output per value, each path set to it. */
export function assign(paths: Code, value: Code): Code {
  return many((env, input, emit) =>
    value.each(env, input, (fresh) => {
      const writer = new PathWriter()
      let result = input
      for (const keys of gatherPaths(paths, env, input)) result = writer.update(result, keys, () => fresh)
      return emit(result)
    }),
  )
}

/** `paths |= update`: the first output replaces; where there is none, the path is deleted at the end. */
export function modify(paths: Code, update: Code): Code {
  const first = firstOf(update)
  return single((env, input) => modifyWith(paths, env, input, (old) => first(env, old)))
}

/** `paths op= value` and `paths //= value`: the value is computed from the whole input, once per output. */
export function modifyBy(operator: Exclude<AssignOperator, '=' | '|='>, paths: Code, value: Code): Code {
  const change =
    operator === '//='
      ? (old: Value, operand: Value) => (isTrue(old) ? old : operand)
      : // All other assignment operators are a binary operator followed by `=`.
        operation(operator.slice(0, -1) as BinaryOperator)
  return many((env, input, emit) =>
    value.each(env, input, (operand) => emit(modifyWith(paths, env, input, (old) => change(old, operand)))),
  )
}

function modifyWith(paths: Code, env: Env, input: Value, change: (old: Value) => Value | undefined): Value {
  const writer = new PathWriter()
  let result = input
  const gone: Value[] = []
  for (const keys of gatherPaths(paths, env, input)) {
    step()
    const updated = writer.change(result, keys, change)
    if (updated === undefined) gone.push(keys)
    else result = updated
  }
  return deletePaths(result, gone)
}
