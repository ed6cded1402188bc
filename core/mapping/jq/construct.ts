import { forEach } from './access.ts'
import { checkLength, step } from './budget.ts'
import { type Code, constant, type Env, gather, many, type One, type Stop, single } from './code.ts'
import { fail } from './errors.ts'
import { formatter } from './formats.ts'
import { excerpt } from './json-write.ts'
import { concat } from './text.ts'
import { type Draft, kindOf, put, type Value } from './value.ts'

/** `[body]` */
export function array(body: Code | null): Code {
  if (body === null) return constant([])
  const { one } = body
  if (one !== null) {
    return {
      ...single((env, input) => {
        const value = one(env, input)
        return value === undefined ? [] : [value]
      }),
      walk: collectWalk(body),
    }
  }
  const list = body.items?.one ?? null
  const { eachItem } = body
  if (list !== null && eachItem !== undefined) return { ...single(overItems(list, eachItem)), walk: collectWalk(body) }
  return {
    ...single((env, input) => gather(body, env, input)),
    walk: collectWalk(body),
  }
}

/** `[target[] | f]` without a generator. */
function overItems(list: One, each: One): One {
  return (env, input) => {
    const source = list(env, input)
    if (source === undefined) return []
    const values: Value[] = []
    const add = (item: Value): undefined => {
      const value = each(env, item)
      if (value !== undefined) values.push(value)
    }
    forEach(source, false, add)
    return values
  }
}

/** Inside a path expression the elements are still checked as paths, although the array is none. */
function collectWalk(body: Code): Code['walk'] {
  return (env, input, place, emit) => {
    const values: Value[] = []
    const stop = body.walk(env, input, place, (value) => {
      step()
      values.push(value)
      return undefined
    })
    return stop ?? emit(values, place)
  }
}

export interface Entry {
  readonly key: Code
  readonly value: Code
}

/** `{key: value, ...}`: the first entry is the outermost loop, and a key is outside of its value. */
export function object(entries: readonly Entry[]): Code {
  const singles = entries.every((entry) => entry.key.one !== null && entry.value.one !== null)
  if (singles) return named(entries) ?? single((env, input) => buildOne(entries, env, input))
  return many((env, input, emit) => build(entries, 0, {}, env, input, emit))
}

function buildOne(entries: readonly Entry[], env: Env, input: Value): Value | undefined {
  const draft: Draft = {}
  for (const entry of entries) {
    const key = entry.key.one?.(env, input)
    if (key === undefined) return undefined
    const value = entry.value.one?.(env, input)
    if (value === undefined) return undefined
    put(draft, typeof key === 'string' ? key : notAKey(key), value)
  }
  return draft
}

/** With names known now, objects are copied from a pattern and filled, which is faster than growing them. */
function named(entries: readonly Entry[]): Code | null {
  const pattern: Draft = {}
  const fields: { readonly key: string; readonly one: One }[] = []
  for (const { key, value } of entries) {
    if (typeof key.constant !== 'string' || key.constant === '__proto__' || value.one === null) return null
    pattern[key.constant] = null
    fields.push({ key: key.constant, one: value.one })
  }
  return single((env, input) => {
    const draft: Draft = { ...pattern }
    for (const { key, one } of fields) {
      const value = one(env, input)
      if (value === undefined) return undefined
      draft[key] = value
    }
    return draft
  })
}

function build(
  entries: readonly Entry[],
  at: number,
  draft: Draft,
  env: Env,
  input: Value,
  emit: (value: Value) => Stop,
): Stop {
  const entry = entries[at]
  if (entry === undefined) return emit(draft)
  return entry.key.each(env, input, (key) =>
    entry.value.each(env, input, (value) => {
      step()
      const copy: Draft = { ...draft }
      put(copy, typeof key === 'string' ? key : notAKey(key), value)
      return build(entries, at + 1, copy, env, input, emit)
    }),
  )
}

export function notAKey(key: Value): never {
  return fail(`Cannot use ${kindOf(key)} (${excerpt(key)}) as object key`)
}

/** A string with interpolations: the last one is the outermost loop. */
export function text(format: string, parts: readonly (string | Code)[]): Code {
  const write = formatter(format)
  const pieces = piecesOf(parts)
  if (pieces !== null) {
    const { inserts, behind, start } = pieces
    const plain = format === 'text'
    return single((env, input) => {
      let result = ''
      for (let at = inserts.length - 1; at >= 0; at--) {
        const value = inserts[at]?.(env, input)
        if (value === undefined) return undefined
        const piece = plain && typeof value === 'string' ? value : write(value)
        result = at === inserts.length - 1 ? piece + (behind[at] ?? '') : piece + (behind[at] ?? '') + result
        checkLength(result.length)
      }
      return start === '' ? result : concat(start, result)
    })
  }
  const assemble = (env: Env, input: Value, at: number, tail: string, emit: (value: Value) => Stop): Stop => {
    const part = parts[at]
    if (part === undefined) return emit(tail)
    if (typeof part === 'string') return assemble(env, input, at - 1, concat(part, tail), emit)
    return part.each(env, input, (value) => assemble(env, input, at - 1, concat(write(value), tail), emit))
  }
  return many((env, input, emit) => assemble(env, input, parts.length - 1, '', emit))
}

/** What is inserted, with the text behind each; null if something may be inserted several times. */
function piecesOf(parts: readonly (string | Code)[]) {
  const inserts: One[] = []
  const behind: string[] = []
  let start = ''
  for (const part of parts) {
    if (typeof part !== 'string') {
      if (part.one === null) return null
      inserts.push(part.one)
      behind.push('')
    } else if (behind.length === 0) start += part
    else behind.push((behind.pop() ?? '') + part)
  }
  return { inserts, behind, start }
}
