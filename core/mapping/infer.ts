import type { Node } from './jq/index.ts'

/** A set of JSON types as bits: what an expression can give, as far as its text tells. */
export type TypeSet = number

export const typeBits = { null: 1, boolean: 2, number: 4, string: 8, array: 16, object: 32 } as const
const { null: nothing, boolean, number, string, array, object } = typeBits
export const anything: TypeSet = 63

/** Builtins whose result has one type whatever they are given; those not listed may give anything. */
const results = new Map<string, TypeSet>([
  ...each(string, 'tostring tojson ascii_downcase ascii_upcase join sub gsub todate todateiso8601 strftime'),
  ...each(string, 'strflocaltime implode type trim ltrim rtrim splits'),
  ...each(number, 'length tonumber floor ceil round sqrt fabs now mktime fromdate fromdateiso8601 utf8bytelength'),
  ...each(number | nothing, 'index rindex'),
  ...each(
    boolean,
    'not test startswith endswith contains inside has in any all isvalid isnan isinfinite isnormal isempty',
  ),
  ...each(array, 'split map keys keys_unsorted to_entries sort sort_by group_by unique unique_by flatten explode'),
  ...each(array, 'strptime gmtime localtime transpose indices paths path toarray match_all'),
  ...each(object, 'from_entries with_entries capture match env'),
  ...each(0, 'empty error'),
])

function each(types: TypeSet, names: string): [string, TypeSet][] {
  return names.split(' ').map((name) => [name, types])
}

/** Types the first output of an expression can have when its input has one of `input`. */
export function inferTypes(node: Node, input: TypeSet = anything, shadowed: ReadonlySet<string> = new Set()): TypeSet {
  const of = (inner: Node, given: TypeSet = input): TypeSet => inferTypes(inner, given, shadowed)
  switch (node.kind) {
    case 'identity':
      return input
    case 'literal':
      return literalType(node.value)
    case 'text':
    case 'format':
      return string
    case 'array':
      return array
    case 'object':
      return object
    case 'negate':
      return number
    case 'logic':
      return boolean
    case 'binary':
      return binary(node.operator, of(node.left), of(node.right))
    case 'pipe':
      return of(node.right, of(node.left))
    case 'comma':
      return of(node.left) | of(node.right)
    case 'alternative':
      return (of(node.left) & ~nothing) | of(node.right)
    case 'if':
      return of(node.consequence) | (node.otherwise === null ? input : of(node.otherwise))
    case 'try':
      return of(node.body) | (node.handler === null ? 0 : anything)
    case 'bind':
    case 'label':
      return of(node.body)
    case 'define':
      return inferTypes(node.body, input, new Set([...shadowed, node.definition.name]))
    case 'call':
      return shadowed.has(node.name) ? anything : call(node.name, node.parameters, input, of)
    case 'break':
      return 0
    case 'assign':
      return assigned(node.left)
    case 'index':
    case 'slice':
    case 'iterate':
    case 'recurse':
    case 'reduce':
    case 'foreach':
    case 'variable':
      return anything
  }
}

/** What has a field set is an object. */
function assigned(path: Node): TypeSet {
  if (path.kind !== 'index') return anything
  if (path.target.kind !== 'identity') return assigned(path.target)
  return path.key.kind === 'literal' && typeof path.key.value === 'string' ? object : anything
}

function call(
  name: string,
  parameters: readonly Node[],
  input: TypeSet,
  of: (node: Node, given?: TypeSet) => TypeSet,
): TypeSet {
  const [first] = parameters
  if (name === 'select' || name === 'del') return input
  if ((name === 'first' || name === 'last') && first !== undefined) return of(first)
  return results.get(name) ?? anything
}

function literalType(value: unknown): TypeSet {
  if (value === null) return nothing
  if (typeof value === 'boolean') return boolean
  if (typeof value === 'string') return string
  if (typeof value === 'number') return number
  // A number that keeps its text.
  return Array.isArray(value) ? array : number
}

function binary(operator: string, left: TypeSet, right: TypeSet): TypeSet {
  const both = left & right
  switch (operator) {
    case '+': {
      const sum =
        (both & (number | string | array | object)) | (left & nothing ? right : 0) | (right & nothing ? left : 0)
      return sum === 0 ? anything : sum
    }
    case '-':
      return both & (number | array) || anything
    case '*':
      return left === number && right === number ? number : anything
    case '/':
      return (both & number ? number : 0) | (both & string ? array : 0) || anything
    case '%':
      return number
    default:
      return boolean
  }
}

export function typeNames(types: TypeSet): string {
  const names = Object.entries(typeBits)
    .filter(([, bit]) => types & bit)
    .map(([name]) => name)
  return names.length === 0 ? 'nothing' : names.join(' or ')
}

/** A node and everything below it, outermost first. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const member of Object.values(node)) {
    for (const inner of Array.isArray(member) ? member : [member]) {
      const children = childrenOf(inner)
      for (const child of children) yield* nodesOf(child)
    }
  }
}

/** Nodes in a member: itself, or those of an object entry, a definition or a pattern. */
function childrenOf(member: unknown): Node[] {
  if (typeof member !== 'object' || member === null) return []
  // Every node, and nothing else in the tree, has a kind and a start.
  if ('kind' in member && 'start' in member) return [member as Node]
  return Object.values(member).flatMap((inner) =>
    Array.isArray(inner) ? inner.flatMap(childrenOf) : childrenOf(inner),
  )
}
