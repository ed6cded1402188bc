import { BadAnswer, isObject, type Json, type JsonObject } from '../../core/sdk/index.ts'

/** Which fields of an object are kept, and in which order. A list has the shape of its items. */
export type Shape = true | readonly [Shape] | { readonly [field: string]: Shape }

/** A shape that can only name what the vendor's own type has. */
export type ShapeOf<T> =
  | true
  | (NonNullable<T> extends readonly (infer Item)[]
      ? readonly [[Extract<Item, object>] extends [never] ? true : ShapeOf<Extract<Item, object>>]
      : NonNullable<T> extends object
        ? { readonly [F in keyof NonNullable<T>]?: ShapeOf<NonNullable<T>[F]> }
        : never)

/**
 * The declared fields in declared order. One that is not there, or is something else than an object or a list where one is
 * declared, is null: a lost permission hides fields, and that must show.
 */
export function pick(value: Json | undefined, shape: Shape): Json {
  if (value === undefined || value === null) return null
  if (shape === true) return value
  if (isList(shape)) return Array.isArray(value) ? value.map((item: Json) => pick(item, shape[0])) : null
  if (!isObject(value)) return null
  return pickObject(value, shape)
}

export function pickObject(value: JsonObject, shape: { readonly [field: string]: Shape }): JsonObject {
  const kept: Record<string, Json> = {}
  for (const field in shape) {
    const inner = shape[field]
    if (inner !== undefined) kept[field] = pick(Object.hasOwn(value, field) ? value[field] : null, inner)
  }
  return kept
}

function isList(shape: Exclude<Shape, true>): shape is readonly [Shape] {
  return Array.isArray(shape)
}

/** The item as an object. Throws BadAnswer. */
export function objectOf(item: Json, what: string): JsonObject {
  if (isObject(item)) return item
  throw new BadAnswer(`${what}: $: expected an object`)
}

/** A text of the item, or of an object in it. Throws BadAnswer. */
export function textIn(item: JsonObject, path: readonly string[], what: string): string {
  const found = path.reduce<Json | undefined>((at, name) => (isObject(at) ? at[name] : undefined), item)
  if (typeof found === 'string' && found !== '') return found
  throw new BadAnswer(`${what}: $.${path.join('.')}: expected a text`)
}

/** A whole positive number, as text. Throws BadAnswer. */
export function numberIn(item: JsonObject, path: readonly string[], what: string): string {
  const found = path.reduce<Json | undefined>((at, name) => (isObject(at) ? at[name] : undefined), item)
  if (typeof found === 'number' && Number.isSafeInteger(found) && found > 0) return String(found)
  throw new BadAnswer(`${what}: $.${path.join('.')}: expected a positive whole number`)
}
