import type { Node, RunContext } from './jq/index.ts'
import { isArray, isObject, type Value, type ValueObject } from './jq/value.ts'
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
export function itemInputs<T extends Value>(block: ItemsBlock, body: T, items: readonly T[]): T[] {
  const base = isObject(body) ? without(body, block.remove) : {}
  // Made of parts of the body: it is JSON where the body is.
  return items.map((item) => ({ ...base, [block.name]: item }) as unknown as T)
}

/** The context of each input: what its expressions read exactly is made of the exact body, once for all inputs. */
export function itemContexts(block: ItemsBlock, context: RunContext): (position: number) => RunContext {
  const { exact } = context
  if (exact === undefined) return () => context
  let inputs: readonly Value[] | undefined
  const make = (): readonly Value[] => {
    const list = block.expression.program?.exact(context) ?? null
    return isArray(list) ? itemInputs(block, exact(), list) : []
  }
  return (position) => ({ ...context, exact: () => (inputs ??= make()).at(position) ?? null })
}

function without(object: ValueObject, path: readonly string[]): ValueObject {
  const [key, ...rest] = path
  if (key === undefined || !Object.hasOwn(object, key)) return object
  const { [key]: removed, ...others } = object
  if (rest.length === 0) return others
  return removed !== undefined && isObject(removed) ? { ...object, [key]: without(removed, rest) } : object
}
