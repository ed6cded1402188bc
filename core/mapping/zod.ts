import { z } from 'zod'
import { isObject, type Json } from '../model/json.ts'
import { didYouMean, type Report, type TextRange } from './diagnostic.ts'
import { describe, entryOf, toJson, type YamlNode } from './yaml.ts'

/**
 * Parses a YAML node with a zod schema and reports every mistake at its place in the file. `path` leads from the root of
 * the value to the node, for messages. Undefined when there was a mistake.
 */
export function parseWith<T>(
  report: Report,
  schema: z.ZodType<T>,
  node: YamlNode,
  at: TextRange,
  path = '',
): T | undefined {
  const result = schema.safeParse(toJson(node))
  if (result.success) return result.data
  reportIssues(report, schema, node, at, result.error.issues, path)
  return undefined
}

export function reportIssues(
  report: Report,
  schema: z.ZodType,
  node: YamlNode,
  at: TextRange,
  issues: readonly z.core.$ZodIssue[],
  path: string,
): void {
  for (const issue of issues) {
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const closest = closestBranch(issue.errors)
      if (closest !== undefined && closest.some(({ path: inner }) => inner.length > 0)) {
        const nested = closest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
        reportIssues(report, schema, node, at, nested, path)
        continue
      }
    }
    const where = [path, ...issue.path.map(String)].filter((part) => part !== '').join('.')
    const found = locate(node, issue.path, at)
    // What is already known to be wrong there explains this, too: a variable that is not set, a file that is missing.
    if (found.node !== undefined && report.hasError(found.range)) continue
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schema, issue.path)
      for (const key of issue.keys) {
        const entry = found.node?.kind === 'map' ? entryOf(found.node, key) : undefined
        const hint = didYouMean(key, known) ?? (known.length > 0 ? `known here: ${known.join(', ')}` : undefined)
        const message = where === '' ? `unknown key "${key}"` : `${where} has no key "${key}"`
        report.error('key_unknown', entry?.keyRange ?? found.range, message, { hint })
      }
    } else if (found.node === undefined) {
      report.error('key_missing', found.range, `"${where}" is missing`, { hint: wanted(issue) })
    } else {
      const hint = issue.code === 'invalid_value' ? oneOf(found.node, issue.values) : undefined
      const message = describeIssue(issue, found.node)
      report.error('value_invalid', found.range, where === '' ? message : `${where}: ${message}`, { hint })
    }
  }
}

/** The branch of a union that the value was probably meant for: the one that fails deepest. */
function closestBranch(errors: readonly z.core.$ZodIssue[][]): readonly z.core.$ZodIssue[] | undefined {
  const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map(({ path }) => path.length))
  return [...errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0]
}

function wanted(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`
  return issue.code === 'invalid_type' ? `it must be ${article(issue.expected)}` : undefined
}

function oneOf(node: YamlNode, values: readonly unknown[]): string {
  const names = values.map(String)
  return (node.kind === 'scalar' ? didYouMean(node.text, names) : undefined) ?? `one of ${names.join(', ')}`
}

function describeIssue(issue: z.core.$ZodIssue, node: YamlNode): string {
  if (issue.code === 'invalid_type') return `must be ${article(issue.expected)}, not ${describe(node)}`
  if (issue.code === 'invalid_value')
    return `${describe(node) === 'a text' ? `"${(node.kind === 'scalar' && node.text) || ''}"` : describe(node)} is not possible here`
  return issue.message
}

function article(type: string): string {
  const names: Record<string, string> = {
    string: 'a text',
    object: 'a block of keys',
    array: 'a list',
    record: 'a block of keys',
  }
  return names[type] ?? `a ${type}`
}

/** The node at a path, or, where it does not exist, the place of the nearest one around it. */
export function locate(
  root: YamlNode,
  path: readonly PropertyKey[],
  at: TextRange,
): { readonly node: YamlNode | undefined; readonly range: TextRange } {
  let node: YamlNode = root
  let range = at
  for (const step of path) {
    if (node.kind === 'list' && typeof step === 'number') {
      const item: YamlNode | undefined = node.items[step]
      if (item === undefined) return { node: undefined, range }
      node = item
      range = item.kind === 'map' ? (item.entries[0]?.keyRange ?? item.range) : item.range
    } else if (node.kind === 'map') {
      const entry = entryOf(node, String(step))
      if (entry === undefined) return { node: undefined, range }
      node = entry.value
      const empty = entry.value.kind !== 'scalar' || entry.value.value === null
      range = empty ? entry.keyRange : entry.value.range
    } else return { node: undefined, range }
  }
  return { node, range }
}

/** Names of the keys that the schema allows at a path, read from its JSON Schema. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let here: Json = toSchema(schema)
  for (const step of path) {
    const next = branches(here).flatMap((branch): Json[] => {
      if (typeof step === 'number') return [branch['items'] ?? null]
      const properties = branch['properties']
      return [(isObject(properties) ? properties[String(step)] : undefined) ?? branch['additionalProperties'] ?? null]
    })
    here = { anyOf: next }
  }
  return branches(here).flatMap((branch) => (isObject(branch['properties']) ? Object.keys(branch['properties']) : []))
}

function branches(schema: Json): { readonly [key: string]: Json }[] {
  if (!isObject(schema)) return []
  const nested = [schema['anyOf'], schema['oneOf'], schema['allOf']].flatMap((list) =>
    Array.isArray(list) ? list : [],
  )
  return [schema, ...nested.flatMap(branches)]
}

function toSchema(schema: z.ZodType): Json {
  // JSON Schema is JSON; zod's type for it is its own.
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Json
}
