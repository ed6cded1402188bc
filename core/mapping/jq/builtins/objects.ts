import { forEach, get } from '../access.ts'
import { step, steps } from '../budget.ts'
import { type Code, type Emit, type Env, enough, identity, many, type Stop, settle, single } from '../code.ts'
import { notAKey } from '../construct.ts'
import { firstOf } from '../control.ts'
import { toText } from '../formats.ts'
import { equal } from '../order.ts'
import { type Draft, isArray, isObject, isTrue, put, type Value } from '../value.ts'
import { type Builtins, missing, ofInput, typeError } from './define.ts'
import { has } from './values.ts'

/** Objects as lists of entries, walking, and the operators named after SQL. */
export const objects: Builtins = {
  'to_entries/0': ofInput(toEntries),
  'from_entries/0': ofInput(fromEntries),
  'with_entries/1': (f = missing) =>
    single((env, input) => {
      const changed: Value[] = []
      settle(
        forEach(toEntries(input), false, (entry) =>
          f.each(env, entry, (value) => {
            changed.push(value)
            return undefined
          }),
        ),
      )
      return fromEntries(changed)
    }),
  'walk/1': (f = missing) => walk(f),
  'INDEX/1': (key = missing) => indexBy(null, key),
  'INDEX/2': (stream = missing, key = missing) => indexBy(stream, key),
  'JOIN/2': (table = missing, key = missing) =>
    many((env, input, emit) =>
      table.each(env, input, (rows) => {
        const joined: Value[] = []
        const stop = forEach(input, false, (item) => lookUp(rows, key, env, item, (pair) => collect(joined, pair)))
        return stop ?? emit(joined)
      }),
    ),
  'JOIN/3': (table = missing, stream = missing, key = missing) =>
    many((env, input, emit) =>
      table.each(env, input, (rows) => stream.each(env, input, (item) => lookUp(rows, key, env, item, emit))),
    ),
  'JOIN/4': (table = missing, stream = missing, key = missing, join = missing) =>
    many((env, input, emit) =>
      table.each(env, input, (rows) =>
        stream.each(env, input, (item) => lookUp(rows, key, env, item, (pair) => join.each(env, pair, emit))),
      ),
    ),
  'IN/1': (stream = missing) => isIn(identity, stream),
  'IN/2': (source = missing, stream = missing) => isIn(source, stream),
}

function toEntries(input: Value): Value {
  if (isArray(input)) {
    steps(1 + input.length)
    return input.map((value, key) => ({ key, value }))
  }
  if (!isObject(input)) return typeError(input, 'has no keys')
  const keys = Object.keys(input)
  steps(1 + keys.length)
  return keys.map((key) => ({ key, value: input[key] ?? null }))
}

const names = ['key', 'Key', 'name', 'Name']

function fromEntries(input: Value): Value {
  const draft: Draft = {}
  forEach(input, false, (entry) => {
    let key: Value = null
    for (const name of names) {
      key = get(entry, name)
      if (isTrue(key)) break
    }
    const value = has(entry, 'value') === true ? get(entry, 'value') : get(entry, 'Value')
    put(draft, typeof key === 'string' ? key : notAKey(key), value)
    return undefined
  })
  return draft
}

/** Bottom up: fields take the first output of the walk below them, elements all of them. */
function walk(f: Code): Code {
  const each = (env: Env, input: Value, emit: Emit): Stop => {
    step()
    let value = input
    if (isArray(input)) {
      const items: Value[] = []
      for (const item of input) {
        const stop = each(env, item, (result) => collect(items, result))
        if (stop !== undefined) return stop
      }
      value = items
    } else if (isObject(input)) {
      const draft: Draft = {}
      for (const key of Object.keys(input)) {
        const result = first(env, input[key] ?? null)
        if (result !== undefined) put(draft, key, result)
      }
      value = draft
    }
    return f.each(env, value, emit)
  }
  const first = firstOf(many(each))
  return many(each)
}

function collect(into: Value[], value: Value): undefined {
  step()
  into.push(value)
}

function indexBy(stream: Code | null, key: Code): Code {
  return single((env, input) => {
    const draft: Draft = {}
    const file = (row: Value): Stop => {
      step()
      return key.each(env, row, (name) => {
        put(draft, toText(name), row)
        return undefined
      })
    }
    settle(stream === null ? forEach(input, false, file) : stream.each(env, input, file))
    return draft
  })
}

function lookUp(rows: Value, key: Code, env: Env, item: Value, emit: Emit): Stop {
  return key.each(env, item, (name) => emit([item, get(rows, name)]))
}

function isIn(source: Code, stream: Code): Code {
  return single((env, input) => {
    let found = false
    const stop = stream.each(env, input, (other) =>
      source.each(env, input, (value) => {
        step()
        found = equal(value, other)
        return found ? enough : undefined
      }),
    )
    if (!found) settle(stop)
    return found
  })
}
