import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { Json, JsonObject } from '../model/json.ts'
import type { Report, TextRange } from './diagnostic.ts'

/** A YAML (or JSON) value that knows where it stands. Aliases are followed and merge keys applied. */
export type YamlNode = YamlScalar | YamlList | YamlMap

export interface YamlScalar {
  readonly kind: 'scalar'
  readonly value: null | boolean | number | string
  /** The value as text: a plain scalar as it was written (`1.0`, `true`), a quoted one without its quotes. */
  readonly text: string
  readonly style: 'plain' | 'single' | 'double' | 'block'
  readonly range: TextRange
}

export interface YamlList {
  readonly kind: 'list'
  readonly items: readonly YamlNode[]
  readonly range: TextRange
}

export interface YamlEntry {
  readonly key: string
  readonly keyRange: TextRange
  readonly value: YamlNode
}

export interface YamlMap {
  readonly kind: 'map'
  readonly entries: readonly YamlEntry[]
  readonly range: TextRange
}

/** Nodes after aliases are followed: a page of text must not unfold into gigabytes. */
const maxNodes = 200_000
const maxDepth = 100
const mostErrors = 5

/**
 * Parses one YAML document. Syntax errors go to the report and give undefined; an empty document is a null scalar.
 * A key that is there twice is a warning with `duplicates: 'last'` (the last one counts, as in other readers), else an error.
 */
export function parseYaml(report: Report, options: { readonly duplicates: 'last' | 'error' }): YamlNode | undefined {
  const { text } = report.source
  let document: Document.Parsed
  try {
    document = parseDocument(text, { merge: true, prettyErrors: false, uniqueKeys: false, keepSourceTokens: false })
  } catch (error) {
    // The parser recurses by nesting; only running out of stack gets here.
    report.error('yaml_syntax', { start: 0, end: 0 }, `the file cannot be read: ${String(error)}`)
    return undefined
  }
  // The first ones: what follows is mostly their consequence.
  for (const error of document.errors.slice(0, mostErrors)) {
    const [start, end] = error.pos
    report.error('yaml_syntax', { start, end }, firstLine(error.message), { hint: yamlHint(error.code, text, start) })
  }
  if (document.errors.length > 0) return undefined
  return new Reader(document, report, options.duplicates).read(document.contents, 0)
}

class Reader {
  readonly #document: Document.Parsed
  readonly #report: Report
  readonly #duplicates: 'last' | 'error'
  readonly #targets = new Map<Alias, Node>()
  #nodes = 0

  constructor(document: Document.Parsed, report: Report, duplicates: 'last' | 'error') {
    this.#document = document
    this.#report = report
    this.#duplicates = duplicates
  }

  read(node: unknown, depth: number, at: TextRange = { start: 0, end: 0 }): YamlNode {
    const range = rangeOf(node, at)
    if (++this.#nodes > maxNodes || depth > maxDepth) {
      if (this.#nodes <= maxNodes + 1) {
        this.#report.error('yaml_too_large', range, `more than ${maxNodes} values or ${maxDepth} levels`)
        this.#nodes = maxNodes + 1
      }
      return nothing(range)
    }
    if (isAlias(node)) return this.#alias(node, depth, range)
    if (isScalar(node)) return this.#scalar(node, range)
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => this.read(item, depth + 1, range)), range }
    if (isMap(node)) return { kind: 'map', entries: this.#entries(node, depth, range), range }
    return nothing(range)
  }

  #alias(alias: Alias, depth: number, range: TextRange): YamlNode {
    // Looking for an anchor walks the document; an alias inside of an anchored list is read again and again.
    const target: Node | undefined = this.#targets.get(alias) ?? alias.resolve(this.#document)
    if (target !== undefined) this.#targets.set(alias, target)
    if (target !== undefined) return this.read(target, depth + 1, range)
    this.#report.error('yaml_alias', range, `nothing is anchored as &${alias.source}`)
    return nothing(range)
  }

  #scalar(node: Scalar, range: TextRange): YamlScalar {
    const { value } = node
    const known = value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string'
    const plain = known ? value : (node.source ?? null)
    const style =
      node.type === 'QUOTE_SINGLE'
        ? 'single'
        : node.type === 'QUOTE_DOUBLE'
          ? 'double'
          : node.type === 'PLAIN'
            ? 'plain'
            : 'block'
    const text = typeof plain === 'string' ? plain : (node.source ?? (plain === null ? '' : String(plain)))
    return { kind: 'scalar', value: plain, text, style, range }
  }

  #entries(map: YAMLMap, depth: number, at: TextRange): YamlEntry[] {
    const entries = new Map<string, YamlEntry>()
    const merged: YamlEntry[] = []
    for (const pair of map.items) {
      const keyRange = rangeOf(pair.key, at)
      const value = this.read(pair.value, depth + 1, { start: keyRange.start, end: keyRange.end })
      if (isMergeKey(pair.key)) {
        for (const source of value.kind === 'list' ? value.items : [value]) {
          if (source.kind === 'map') merged.push(...source.entries)
        }
        continue
      }
      const read = this.read(pair.key, depth + 1, at)
      if (read.kind !== 'scalar') {
        this.#report.error('yaml_key', keyRange, 'a key must be a plain text')
        continue
      }
      const entry = { key: read.text, keyRange, value }
      if (entries.has(entry.key)) {
        const message = `"${entry.key}" is here twice`
        if (this.#duplicates === 'last')
          this.#report.warning('key_duplicate', keyRange, `${message}; the last one counts`)
        else this.#report.error('key_duplicate', keyRange, message)
      }
      entries.set(entry.key, entry)
    }
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry)
    return [...entries.values()]
  }
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === 'PLAIN' && (key.value === '<<' || key.source === '<<')
}

function rangeOf(node: unknown, otherwise: TextRange): TextRange {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined
  return range ? { start: range[0], end: range[1] } : otherwise
}

function nothing(range: TextRange): YamlScalar {
  return { kind: 'scalar', value: null, text: '', style: 'plain', range }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message
}

function yamlHint(code: string, text: string, at: number): string | undefined {
  if (code === 'TAB_AS_INDENT' || text[at] === '\t') return 'indent with spaces; YAML allows no tabs there'
  if (code === 'BAD_INDENT') return 'align it with the lines of the same block'
  if (code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY') {
    return 'a value that contains ": " or starts with a special character needs quotes'
  }
  if (code === 'UNEXPECTED_TOKEN' || code === 'MISSING_CHAR') return 'quote the value, or close what was opened before'
  return undefined
}

export function entryOf(map: YamlMap, key: string): YamlEntry | undefined {
  return map.entries.find((entry) => entry.key === key)
}

/** The plain value, positions left behind. */
export function toJson(node: YamlNode): Json {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(toJson)
  return toJsonObject(node)
}

export function toJsonObject(map: YamlMap): JsonObject {
  // fromEntries defines own properties, also for a key named __proto__.
  return Object.fromEntries(map.entries.map(({ key, value }) => [key, toJson(value)]))
}

/** What a node is, for messages. */
export function describe(node: YamlNode): string {
  if (node.kind === 'list') return 'a list'
  if (node.kind === 'map') return 'a block of keys'
  if (node.value === null) return 'nothing'
  if (typeof node.value === 'string') return 'a text'
  return typeof node.value === 'number' ? `the number ${node.text}` : `${node.text}`
}
