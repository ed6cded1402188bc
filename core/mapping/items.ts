import { isObject, type Json, type JsonObject } from '../model/json.ts'
import type { Node } from './jq/index.ts'
import type { ItemsBlock } from './parsed.ts'

/**
 * The path of the list that an `itemsToParse` expression reads: `.a.b` of `.a.b`, `.a.b // []`, `.a.b[]?` or
 * `.a.b | map(..)`. The inputs of its items go without it, unless itemsToParseTopLevelTransform is false. Empty when the
 * expression is no plain walk to one list.
 */
export function removedPath(node: Node): readonly string[] {
  if (node.kind === 'pipe') return removedPath(node.left.kind === 'identity' ? node.right : node.left)
  if (node.kind === 'alternative') return removedPath(node.left)
  if (node.kind === 'bind') return removedPath(node.body)
  if (node.kind === 'iterate' || node.kind === 'slice') return removedPath(node.target)
  if (node.kind !== 'index') return []
  if (node.key.kind !== 'literal' || typeof node.key.value !== 'string') return removedPath(node.target)
  const { value } = node.key
  if (node.target.kind === 'identity') return [value]
  const before = removedPath(node.target)
  return before.length === 0 || !isWalk(node.target) ? before : [...before, value]
}

/** Field names only, so far. */
function isWalk(node: Node): boolean {
  if (node.kind === 'identity') return true
  return (
    node.kind === 'index' && node.key.kind === 'literal' && typeof node.key.value === 'string' && isWalk(node.target)
  )
}

/** One input per item: the object without the list, and the item under its name, which wins over a field of that name. */
export function itemInputs(block: ItemsBlock, body: Json, items: readonly Json[]): Json[] {
  const base = isObject(body) ? without(body, block.remove) : {}
  return items.map((item) => ({ ...base, [block.name]: item }))
}

function without(object: JsonObject, path: readonly string[]): JsonObject {
  const [key, ...rest] = path
  if (key === undefined || !Object.hasOwn(object, key)) return object
  const { [key]: removed, ...others } = object
  if (rest.length === 0) return others
  return isObject(removed) ? { ...object, [key]: without(removed, rest) } : object
}
