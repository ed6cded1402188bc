import { Exact } from './numbers.ts'

/** A jq value: JSON, and numbers that keep their text because a double cannot hold them. */
export type Value = null | boolean | number | string | Exact | ValueArray | ValueObject
export type ValueArray = readonly Value[]
export type ValueObject = { readonly [key: string]: Value }
/** An object while it is being built; nobody else sees it yet. */
export type Draft = { [key: string]: Value }

export type Kind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

export function isArray(value: Value): value is ValueArray {
  return Array.isArray(value)
}

export function isObject(value: Value): value is ValueObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Exact)
}

export function isNumber(value: Value): value is number | Exact {
  return typeof value === 'number' || value instanceof Exact
}

export function kindOf(value: Value): Kind {
  if (value === null) return 'null'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  if (Array.isArray(value)) return 'array'
  return value instanceof Exact ? 'number' : 'object'
}

/** Only null and false are not true. */
export function isTrue(value: Value): boolean {
  return value !== null && value !== false
}

/** Own property or undefined. Names every object inherits (`constructor`) are not fields of it. */
export function own(object: ValueObject, key: string): Value | undefined {
  const value = object[key]
  return value === undefined || (key in Object.prototype && !Object.hasOwn(object, key)) ? undefined : value
}

/** Assign, also to the one name that plain assignment treats as the prototype. */
export function put(draft: Draft, key: string, value: Value): void {
  if (key === '__proto__') {
    Object.defineProperty(draft, key, { value, writable: true, enumerable: true, configurable: true })
  } else draft[key] = value
}
