import { forEach } from './access.ts'
import { checkLength, step } from './budget.ts'
import { type Code, constant, type Env, gather, many, type One, type Stop, single } from './code.ts'
import { fail } from './errors.ts'
import { formatter } from './formats.ts'
import { objectLiteral, objectMaker, type Writer } from './hot.ts'
import { excerpt } from './json-write.ts'
import { concat } from './text.ts'
import { type Draft, kindOf, put, type Value } from './value.ts'

/** `[body]` */
export function array(body: Code | null): Code {
  if (body === null) return constant([])
  const { one } = body
  if (one !== null) {
    return single(
      (env, input) => {
        const value = one(env, input)
        return value === undefined ? [] : [value]
      },
      collectWalk(body),
      (writer, input, then) => {
        const value = writer.value(body, input)
        then(writer.name(`${value} === undefined ? [] : [${value}]`))
      },
    )
  }
  const list = body.items?.one ?? null
  const { items, eachItem } = body
  const each = eachItem?.one ?? null
  if (items !== undefined && list !== null && eachItem !== undefined && each !== null) {
    const collect = overItems(each)
    return single(
      (env, input) => {
        const source = list(env, input)
        return source === undefined ? [] : collect(env, source)
      },
      collectWalk(body),
      (writer, input, then) => {
        const found = writer.name('[]')
        writer.run(items, input, (source) => writeItems(writer, source, found, collect, eachItem))
        then(found)
      },
    )
  }
  return {
    ...single((env, input) => gather(body, env, input)),
    walk: collectWalk(body),
  }
}

/** `[target[] | f]` without a generator. */
export function overItems(each: One): (env: Env, source: Value) => Value[] {
  return (env, source) => {
    const values: Value[] = []
    const add = (item: Value): undefined => {
      const value = each(env, item)
      if (value !== undefined) values.push(value)
    }
    forEach(source, false, add)
    return values
  }
}

/** Fills the list named `found` with what becomes of each item of an array; what is no array is for `collect`. */
export function writeItems(writer: Writer, source: string, found: string, collect: unknown, each: Code): void {
  const at = writer.name('0')
  writer.line(`if (Array.isArray(${source})) for (; ${at} < ${source}.length; ${at}++) {`)
  writer.line(`${writer.use(step)}()`)
  writer.run(each, writer.name(`${source}[${at}]`), (value) => writer.line(`${found}.push(${value})`))
  writer.line(`} else ${found} = ${writer.use(collect)}(env, ${source})`)
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

/** With names known now. */
function named(entries: readonly Entry[]): Code | null {
  const names: string[] = []
  const ones: One[] = []
  for (const { key, value } of entries) {
    if (typeof key.constant !== 'string' || value.one === null) return null
    names.push(key.constant)
    ones.push(value.one)
  }
  const make = objectMaker<Value>(names)
  return single(
    (env, input) => {
      const values: Value[] = []
      for (const one of ones) {
        const value = one(env, input)
        if (value === undefined) return undefined
        values.push(value)
      }
      return make(values)
    },
    undefined,
    (writer, input, then) => {
      const fields: [string, string][] = []
      const from = (at: number): void => {
        const name = names[at]
        const value = entries[at]?.value
        if (name === undefined || value === undefined) return then(writer.name(objectLiteral(fields)))
        writer.run(value, input, (result) => {
          fields.push([name, result])
          from(at + 1)
        })
      }
      from(0)
    },
  )
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
    const { codes, behind, start } = pieces
    const inserts = codes.map(({ one }) => one)
    const plain = format === 'text'
    const run: One = (env, input) => {
      let result = ''
      for (let at = inserts.length - 1; at >= 0; at--) {
        const value = inserts[at]?.(env, input)
        if (value === undefined) return undefined
        const piece = plain && typeof value === 'string' ? value : write(value)
        result = at === inserts.length - 1 ? piece + (behind[at] ?? '') : piece + (behind[at] ?? '') + result
        checkLength(result.length)
      }
      return start === '' ? result : concat(start, result)
    }
    return single(run, undefined, (writer, input, then) => {
      const check = writer.use(checkLength)
      const from = (at: number, result: string): void => {
        const insert = codes[at]
        if (insert === undefined)
          return then(start === '' ? result : writer.name(`${writer.use(concat)}(${JSON.stringify(start)}, ${result})`))
        writer.run(insert, input, (value) => {
          const piece = plain
            ? `(typeof ${value} === 'string' ? ${value} : ${writer.use(write)}(${value}))`
            : `${writer.use(write)}(${value})`
          const longer = writer.name(`${piece} + ${JSON.stringify(behind[at] ?? '')} + ${result}`)
          writer.line(`${check}(${longer}.length)`)
          from(at - 1, longer)
        })
      }
      from(codes.length - 1, '""')
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
  const codes: Code[] = []
  const behind: string[] = []
  let start = ''
  for (const part of parts) {
    if (typeof part !== 'string') {
      if (part.one === null) return null
      codes.push(part)
      behind.push('')
    } else if (behind.length === 0) start += part
    else behind.push((behind.pop() ?? '') + part)
  }
  return { codes, behind, start }
}
