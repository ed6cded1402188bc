import type { Code, One } from './code.ts'
import { put, type Value } from './value.ts'

/**
 * What runs all the time becomes JavaScript of its own. Closures are quick to make and cost a call for every part of an
 * expression, and the function that reads a field for all of them meets objects of every shape, so that it looks each name
 * up anew. Written out as one function, an expression runs as if somebody had written it by hand.
 *
 * The parts write themselves (`Code.write`); a part that cannot is called as the closure that it is. Both ways do the same
 * in the same order and count the same steps.
 */

/** Runs before it is worth it: most expressions of a test, a tool or a small catalog never come so far. */
const usual = 500

/** Longer ones stay closures: compiling is not free. */
const longest = 600

/** Writes the body of one function. Values have names, and a value that is `undefined` is none. */
export class Writer {
  readonly lines: string[] = []
  readonly known = new Map<unknown, string>()
  #names = 0

  line(text: string): void {
    this.lines.push(text)
  }

  /** A name for the value of a JavaScript expression. */
  name(expression: string): string {
    const name = `v${++this.#names}`
    this.line(`let ${name} = ${expression}`)
    return name
  }

  /** A name for something that exists now: a function, a list of names. */
  use(thing: unknown): string {
    const name = this.known.get(thing) ?? `k${this.known.size}`
    this.known.set(thing, name)
    return name
  }

  /** A literal, as it is written. */
  literal(value: Value): string {
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : `(${value})`
    return typeof value === 'object' && value !== null ? this.use(value) : JSON.stringify(value)
  }

  /** What follows runs only if the value is one. */
  given(value: string, then: (value: string) => void): void {
    this.line(`if (${value} !== undefined) {`)
    then(value)
    this.line('}')
  }

  /** The output of `code` over the value named `input`; `then` is run once, to write what becomes of it. */
  run(code: Code, input: string, then: (value: string) => void): void {
    if (code.write !== undefined) code.write(this, input, then)
    else this.given(this.name(`${this.use(code.one)}(env, ${input})`), then)
  }

  /** A name for the output of `code`, which may be none. */
  value(code: Code, input: string): string {
    const name = this.name('undefined')
    this.run(code, input, (value) => this.line(`${name} = ${value}`))
    return name
  }
}

export interface Hot {
  /** `code.one`, in JavaScript of its own as soon as that is worth it. */
  run: One
}

/** Null for what may have several outputs. */
export function hot(code: Code, warm = usual): Hot | null {
  const { one, write } = code
  if (one === null) return null
  if (write === undefined) return { run: one }
  let left = warm
  const it: Hot = {
    run(env, input) {
      if (--left === 0) it.run = written(code) ?? one
      return one(env, input)
    },
  }
  return it
}

function written(code: Code): One | undefined {
  const writer = new Writer()
  writer.line('let output')
  writer.run(code, 'input', (value) => writer.line(`output = ${value}`))
  writer.line('return output')
  if (writer.lines.length > longest) return undefined
  return make<One>(`return (env, input) => {\n${writer.lines.join('\n')}\n}`, writer.known)
}

/** An object with these fields in this order. There is a value for each. */
export function objectMaker<T extends Value>(names: readonly string[]): (values: readonly T[]) => Record<string, T> {
  const grow = (values: readonly T[]): Record<string, T> => {
    const made: Record<string, T> = {}
    for (const [at, value] of values.entries()) put(made, names[at] ?? '', value)
    return made
  }
  let left = usual
  let run = (values: readonly T[]): Record<string, T> => {
    if (--left === 0) {
      const body = `return (values) => (${objectLiteral(names.map((name, at) => [name, `values[${at}]`]))})`
      run = make<typeof grow>(body, new Map()) ?? grow
    }
    return grow(values)
  }
  return (values) => run(values)
}

export function objectLiteral(fields: readonly (readonly [name: string, expression: string])[]): string {
  const texts = fields.map(([name, expression]) => {
    const key = JSON.stringify(name)
    // Without the brackets it would be the prototype.
    return `${name === '__proto__' ? `[${key}]` : key}: ${expression}`
  })
  return `{ ${texts.join(', ')} }`
}

/** Undefined where the process may not make code (`--disallow-code-generation-from-strings`), or it nests too deep. */
function make<F>(body: string, known: ReadonlyMap<unknown, string>): F | undefined {
  try {
    // From outside come only names and texts, and they are written as JSON strings, which are JavaScript strings.
    // oxlint-disable-next-line typescript/no-implied-eval -- that is what it is, see docs/decisions/0037
    return new Function(...known.values(), body)(...known.keys())
  } catch (error) {
    if (error instanceof EvalError || error instanceof RangeError) return undefined
    throw error
  }
}
