import { inspect } from 'node:util'

/**
 * A value that is or holds a secret. Only `reveal` gives it; JSON.stringify, template strings, console.log and loggers get
 * `shown`. The value is in a private field, so no walk over properties finds it either.
 */
export class Redacted<T> {
  readonly #value: T
  readonly #shown: unknown

  constructor(value: T, shown: unknown = '[redacted]') {
    this.#value = value
    this.#shown = shown
  }

  reveal(): T {
    return this.#value
  }

  toJSON(): unknown {
    return this.#shown
  }

  toString(): string {
    return typeof this.#shown === 'string' ? this.#shown : JSON.stringify(this.#shown)
  }

  [inspect.custom](): unknown {
    return this.#shown
  }
}

/** Names of settings whose value is not shown even where it was written into the file itself. */
export function isSecretName(name: string): boolean {
  return /token|secret|password|passwd|credential|api_?key|private_?key|access_?key/i.test(name)
}
