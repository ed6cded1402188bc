// As much of GraphQL as Catchment writes: one query, fields with aliases, arguments and variables, inline fragments.
// https://spec.graphql.org/October2021/
import { badRequest } from '../http/refusal.ts'

export type Argument = string | number | boolean | null | readonly Argument[] | { readonly variable: string }

export interface Field {
  readonly name: string
  readonly alias: string
  readonly args: Readonly<Record<string, Argument>>
  readonly selection: readonly Selection[]
}

export type Selection = Field | { readonly on: string; readonly selection: readonly Selection[] }

const token = /\s*(?:#[^\n]*\s*|,\s*)*("(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|[{}()[\]:$!@=])/y

class Reader {
  readonly #text: string
  #at = 0
  #next: string | undefined

  constructor(text: string) {
    this.#text = text
    this.#next = this.#read()
  }

  #read(): string | undefined {
    token.lastIndex = this.#at
    const found = token.exec(this.#text)
    if (found === null) {
      if (this.#text.slice(this.#at).trim() !== '') throw wrong(`near position ${this.#at}`)
      return undefined
    }
    this.#at = token.lastIndex
    return found[1]
  }

  get next(): string | undefined {
    return this.#next
  }

  take(): string {
    const taken = this.#next
    if (taken === undefined) throw wrong('it ends too early')
    this.#next = this.#read()
    return taken
  }

  skip(wanted: string): boolean {
    if (this.#next !== wanted) return false
    this.take()
    return true
  }

  expect(wanted: string): void {
    const found = this.take()
    if (found !== wanted) throw wrong(`expected ${wanted}, found ${found}`)
  }
}

const wrong = (what: string): Error => badRequest(`Problems parsing the query: ${what}`)

/** The top fields of a query. A mutation is refused: nobody here makes one. */
export function parseQuery(text: string): readonly Selection[] {
  const reader = new Reader(text)
  if (reader.next !== '{') {
    const kind = reader.take()
    if (kind !== 'query') throw wrong(`the sandbox answers queries, and this is a ${kind}`)
    while (reader.next !== '{') reader.take()
  }
  const all = selections(reader)
  if (reader.next !== undefined) throw wrong('more than one operation')
  return all
}

function selections(reader: Reader): readonly Selection[] {
  reader.expect('{')
  const all: Selection[] = []
  while (!reader.skip('}')) {
    if (reader.skip('...')) {
      reader.expect('on')
      all.push({ on: reader.take(), selection: selections(reader) })
    } else all.push(field(reader))
  }
  return all
}

function field(reader: Reader): Field {
  const first = reader.take()
  const name = reader.skip(':') ? reader.take() : first
  const args: Record<string, Argument> = {}
  if (reader.skip('(')) {
    while (!reader.skip(')')) {
      const key = reader.take()
      reader.expect(':')
      args[key] = argument(reader)
    }
  }
  return { name, alias: first, args, selection: reader.next === '{' ? selections(reader) : [] }
}

function argument(reader: Reader): Argument {
  const first = reader.take()
  if (first === '$') return { variable: reader.take() }
  if (first === '[') {
    const list: Argument[] = []
    while (!reader.skip(']')) list.push(argument(reader))
    return list
  }
  if (['true', 'false', 'null'].includes(first) || /^["\-\d]/.test(first)) return JSON.parse(first) as Argument
  throw wrong(`an argument ${first}`)
}
