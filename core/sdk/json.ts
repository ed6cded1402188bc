/** A JSON value as a source gives it. Readonly: nobody who is handed one may change it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export type JsonObject = { readonly [key: string]: Json }

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A whole number that a double cannot hold (an id above 2^53), as it was written. It reads as its digits, and
 * JSON.stringify writes it as them; arithmetic takes the double it had been.
 */
export class LongNumber {
  readonly digits: string

  constructor(digits: string) {
    this.digits = digits
  }

  toString(): string {
    return this.digits
  }

  valueOf(): number {
    return Number(this.digits)
  }

  toJSON(): unknown {
    written = true
    return rawJson(this.digits)
  }
}

/** Whether a LongNumber was written since `writeJson` began. */
let written = false

// In every Node that Catchment runs on; the types of TypeScript do not know it yet.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(this: void, text: string): unknown }

/** Texts that may hold such a number; most have none, and are parsed as fast as JSON.parse can. */
const long = /(?:^|[[:,\s])-?\d{16}/

/**
 * JSON text as values in which long whole numbers are a LongNumber, so that no digit of an id is lost on its way into the
 * catalog. For what a source answers; throws SyntaxError.
 */
export function parseJson(text: string): Json {
  // JSON.parse gives nothing but JSON. A LongNumber is one to everybody who prints it, and `Json` has no name for it.
  return parseLong(text, (digits) => new LongNumber(digits) as unknown as Json) as Json
}

/** The same, with a value of one's own for each such number. */
export function parseLong<T>(text: string, make: (digits: string) => T): unknown {
  if (!long.test(text)) return JSON.parse(text)
  const revive = (_key: string, value: unknown, { source = '' }: { readonly source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? make(source) : value
  // The third parameter is as new as rawJSON.
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown)
}

/** JSON text, and whether it has numbers that JSON.parse would round. */
export function writeJson(value: Json): { readonly text: string; readonly long: boolean } {
  written = false
  const text = JSON.stringify(value)
  return { text, long: written }
}
