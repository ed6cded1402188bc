import { table } from './fuzz-table.ts'

/** A program and the JSON text it runs over. */
export interface FuzzCase {
  readonly program: string
  readonly input: string
}

/** Kinds of values, as in the table. */
type Kind = 'n' | 's' | 'b' | 'a' | 'o' | 'v'

const concrete: readonly Kind[] = ['n', 's', 'b', 'a', 'o']
const texts = [
  '"a"',
  '"abc"',
  '"a,b, c"',
  '"foo bar"',
  '"Aa-1"',
  '""',
  '"12"',
  '"x\\ny"',
  '"é日"',
  '"👍a"',
  '"a.b/c"',
  '"  t "',
  '"2015-03-05T23:51:47Z"',
  '"<&\'\\">"',
  '"null"',
]
const numbers = [
  '0',
  '1',
  '2',
  '3',
  '-1',
  '10',
  '1.5',
  '-2.25',
  '100',
  '1425599507',
  '1e3',
  '0.1',
  '12345678901234567890',
  '1.0',
  '97',
]
const patterns = [
  '"a"',
  '"[a-c]+"',
  '"(?<x>[a-z])(?<n>\\\\d)?"',
  '"\\\\w+"',
  '"^a|b$"',
  '"(a|ab)(c|bcd)?"',
  '"a*"',
  '"(?=b)"',
  '"\\\\s*,\\\\s*"',
  '"\\\\d{1,2}"',
  '"(?i)A"',
  '"[^a-z ]"',
  '"(?:x|y)?z?"',
  '"(?<!a)b"',
  '".\\\\b"',
  '"(.)\\\\1"',
  '"é|日"',
]
const solid = ['"a"', '"[a-c]"', '"\\\\w+"', '"\\\\d"', '","', '"(?<x>[a-z])"', '"b|c"', '"[^a]"', '"."', '" +"']
const flags = ['""', '"g"', '"i"', '"x"', '"gi"', '"n"', '"s"', '"l"', 'null']
const paths = [
  '.a',
  '.a.b',
  '.[0]',
  '.[]',
  '.a?',
  '..',
  '.[1:]',
  '.a[0]',
  '.b // .a',
  'first(.a, .b)',
  'select(type == "object") | .a',
  '.[-1]',
  'getpath(["a", "b"])',
  'if .a? then .a else .b? end',
  '(.a, .b)',
  'recurse',
  'limit(2; .[])',
  'empty',
  '.a | .. ',
  '.["c"]',
  'try .a catch .',
  'last',
  'reduce 1 as $r (.; .)',
  'label $q | .a, break $q',
  '. as $d | .a',
]
const keyLists = [
  '["a"]',
  '["a", "b"]',
  '[0]',
  '[0, "a"]',
  '[]',
  '[-1]',
  '["b", 1]',
  '[{"start": 1, "end": null}]',
  '["c", "d", 0]',
]

/** Builds programs kind by kind, so that most of them run without an error. All choices come from `pick`. */
export class Generator {
  /** A number below the one given. */
  readonly #pick: (below: number) => number
  #names = 0

  constructor(pick: (below: number) => number) {
    this.#pick = pick
  }

  case(): FuzzCase {
    const kind = this.#of(concrete)
    const input = this.#json(kind, 3)
    const program = this.chain(kind, 1 + this.#pick(3))
    return { program, input }
  }

  /** A few steps after each other, or several programs side by side. */
  chain(kind: Kind, steps: number): string {
    const { text, output } = this.#step(kind, 2)
    if (steps <= 1) return text
    const rest = this.chain(output, steps - 1)
    switch (this.#pick(12)) {
      case 0:
        return `[${text}] | map(${this.chain('v', 1)}), (${rest.length > 200 ? '.' : `${text} | ${rest}`})`
      case 1:
        return `try (${text} | ${rest}) catch .`
      case 2:
        return `(${text}) as $c | $c | ${rest}`
      case 3:
        return `[.[]? | ${this.chain('v', 1)}] | length, (. | tojson | length)`
      default:
        return `${text.startsWith('def') || text.includes(' as ') || text.startsWith('label') ? `(${text})` : text} | ${rest}`
    }
  }

  #step(kind: Kind, depth: number): { text: string; output: Kind } {
    const keys = Object.keys(table).filter((key) => key.startsWith(`${kind}>`))
    const key = this.#of(keys)
    // The part behind the arrow of a key is a kind.
    const output = key.slice(2) as Kind
    return { text: this.#fill(this.#of(table[key] ?? ['.']), kind, depth), output }
  }

  /** An expression over an input of `kind` that gives `output`. */
  #expression(kind: Kind, output: Kind, depth: number): string {
    const key = `${kind}>${output}`
    if (depth <= 0 || table[key] === undefined || this.#pick(3) === 0) return this.#literal(output)
    return `(${this.#fill(this.#of(table[key]), kind, depth - 1)})`
  }

  #fill(template: string, kind: Kind, depth: number): string {
    const variable = `$x${this.#names++ % 4}`
    return template.replace(/\{\{|\}\}|\{(\w+\+?)\}/g, (whole, hole: string | undefined) => {
      if (hole === undefined) return whole.slice(0, 1)
      switch (hole) {
        case 'x':
          return variable
        case 'i':
          return String(this.#pick(6) - 2)
        case 'f':
        case 'u':
          return this.#expressionOverAny(depth)
        case 'fb':
          return `(${this.#expressionOverAny(depth)}) == (${this.#of(['1', 'null', '"a"', '[]', '.'])})`
        case 'p':
          return this.#of(paths)
        case 'k':
          return this.#of(keyLists)
        case 're':
          return this.#of(patterns)
        case 're+':
          return this.#of(solid)
        case 'fl':
          return this.#of(flags)
        default:
          // All other holes are kinds.
          return this.#expression(kind, hole as Kind, depth - 1)
      }
    })
  }

  #expressionOverAny(depth: number): string {
    return depth <= 0
      ? this.#of(['.', '[.]', 'tojson', 'type', '1'])
      : this.#fill(this.#of(table['v>v'] ?? []), 'v', depth - 1)
  }

  #literal(kind: Kind): string {
    switch (kind) {
      case 'n':
        return this.#of(numbers)
      case 's':
        return this.#of(texts)
      case 'b':
        return this.#of(['true', 'false'])
      case 'a':
      case 'o':
      case 'v':
        return this.#json(kind, 2)
    }
  }

  #json(kind: Kind, depth: number): string {
    const actual = kind === 'v' ? this.#of(depth > 0 ? concrete : (['n', 's', 'b'] as const)) : kind
    if (actual === 'n') return this.#of(numbers)
    if (actual === 's') return this.#of(texts)
    if (actual === 'b') return this.#of(['true', 'false', 'null'])
    const parts = Array.from({ length: this.#pick(4) }, () => this.#json('v', depth - 1))
    if (actual === 'a') return `[${parts.join(',')}]`
    const keys = ['a', 'b', 'c', 'n', 'x y', 'é']
    return `{${parts.map((part) => `"${keys.splice(this.#pick(keys.length), 1)[0]}":${part}`).join(',')}}`
  }

  #of<T>(list: readonly T[]): T {
    const item = list[this.#pick(list.length)]
    if (item === undefined) throw new Error('there is nothing to choose from')
    return item
  }
}
