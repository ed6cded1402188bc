import { type Node, RegexError, type RegexOptions } from './syntax.ts'

/** Options that may change inside a pattern. */
export interface Modes {
  readonly ignoreCase: boolean
  readonly extended: boolean
  readonly dotAll: boolean
  /** `^` and `$` also match at line ends. */
  readonly lines: boolean
}

/** The text of a pattern being parsed, and what has been learnt of its groups. */
export abstract class Reader {
  readonly source: string
  position = 0
  modes: Modes
  groups = 0
  readonly names: { name: string; group: number }[] = []
  readonly bodies = new Map<number, Node>()
  readonly #checks: (() => void)[] = []

  constructor(source: string, options: RegexOptions) {
    this.source = source
    this.modes = {
      ignoreCase: options.ignoreCase,
      extended: options.extended,
      dotAll: options.dotAll,
      lines: false,
    }
  }

  /** Everything up to the closing parenthesis or the end. */
  abstract branches(): Node

  get done(): boolean {
    return this.position >= this.source.length
  }

  peek(ahead = 0): string {
    return this.source[this.position + ahead] ?? ''
  }

  /** The next character, also of two units. */
  take(): string {
    const code = this.source.codePointAt(this.position)
    if (code === undefined) return ''
    const character = String.fromCodePoint(code)
    this.position += character.length
    return character
  }

  accept(text: string): boolean {
    if (!this.source.startsWith(text, this.position)) return false
    this.position += text.length
    return true
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.source)
    if (match !== null) this.position = pattern.lastIndex
    return match
  }

  /** Run once all groups are known. */
  later(check: () => void): void {
    this.#checks.push(check)
  }

  check(): void {
    for (const check of this.#checks) check()
  }

  /** Numbers of the groups that a name, a number or a relative number stands for. */
  resolve(reference: string): number[] {
    if (/^[+-]?\d+$/.test(reference)) {
      const number = Number(reference)
      const group = reference.startsWith('-') ? this.groups + 1 + number : number
      const absolute = reference.startsWith('+') ? this.groups + number : group
      if (absolute <= 0) throw new RegexError('invalid backref number/name')
      return [absolute]
    }
    const groups = this.names.filter(({ name }) => name === reference).map(({ group }) => group)
    if (groups.length === 0) throw new RegexError(`undefined name <${reference}> reference`)
    return groups
  }

  /** A name between delimiters, the opening one taken. */
  name(close: string): string {
    const end = this.source.indexOf(close, this.position)
    const name = this.source.slice(this.position, end < 0 ? this.source.length : end)
    if (name === '') throw new RegexError('group name is empty')
    if (end < 0) throw new RegexError(`invalid group name <${name}>`)
    this.position = end + close.length
    return name
  }
}
