import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { EntityDraft } from '../model/entity.ts'
import { isObject, type Json, type JsonObject } from '../model/json.ts'
import type { MappingOutput } from '../model/mapping.ts'
import { parseJson, writeJson } from '../sdk/json.ts'
import { type CompiledMappings, compileMappings } from './compile.ts'
import { Report } from './diagnostic.ts'
import { SourceText } from './source.ts'
import { entryOf, parseYaml } from './yaml.ts'

export interface GoldenRun {
  /** Lines of golden.jsonl files. */
  readonly goldens: number
  readonly failures: readonly GoldenFailure[]
  /** Mapping files, with the errors that loading them gave. */
  readonly files: readonly { readonly file: string; readonly errors: readonly string[] }[]
}

export interface GoldenFailure {
  readonly file: string
  readonly line: number
  readonly message: string
}

/**
 * Loads every mapping file below the folders (or the files named) and holds what mappings give against entities that an
 * independent jq gave. Each line of a golden.jsonl is tried as it stands there, and through the mapping file beside it.
 */
export function runGoldens(paths: readonly string[]): GoldenRun {
  const all = paths.flatMap(filesBelow)
  const files = all.filter((file) => /\.ya?ml$/.test(file) && isMappingFile(file))
  const goldens = all.filter((file) => basename(file) === 'golden.jsonl')
  const failures: GoldenFailure[] = []
  let count = 0
  for (const file of goldens) {
    const beside = files.filter((candidate) => candidate.startsWith(`${dirname(file)}/`)).map(load)
    const lines = readFileSync(file, 'utf8').split('\n')
    for (const [index, text] of lines.entries()) {
      if (text.trim() === '') continue
      count += 1
      const message = tryLine(text, beside)
      if (message !== undefined) failures.push({ file, line: index + 1, message })
    }
  }
  return { goldens: count, failures, files: files.map((file) => ({ file, errors: errorsOf(load(file)) })) }
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function isMappingFile(file: string): boolean {
  if (!existsSync(file)) return false
  const report = new Report(new SourceText(file, readFileSync(file, 'utf8')))
  const root = parseYaml(report, { duplicates: 'last' })
  return root?.kind === 'map' && entryOf(root, 'resources')?.value.kind === 'list'
}

function load(file: string): CompiledMappings {
  return compileMappings({ file, text: readFileSync(file, 'utf8') })
}

function errorsOf({ diagnostics }: CompiledMappings): string[] {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  return errors.map(({ line, column, message }) => `${line}:${column}: ${message}`)
}

/** Undefined when the line is as it should be. */
function tryLine(text: string, beside: readonly CompiledMappings[]): string | undefined {
  const line: unknown = JSON.parse(text)
  // A golden file is JSON; its fields are checked below as they are used.
  const golden = isObject(line as Json) ? (line as JsonObject) : {}
  // The raw object with all digits of its numbers, which what the mapping gave is compared without.
  const exact = parseJson(text)
  const raw = (isObject(exact) ? exact['raw'] : null) ?? null
  const { kind, mapping, selector = 'true', resourceIndex } = golden
  if (typeof kind !== 'string' || mapping === undefined) return 'it has no kind or no mapping'
  const resource = { kind, selector: { query: selector }, port: { entity: { mappings: mapping } } }
  const own = compileMappings({ file: 'golden.jsonl', text: JSON.stringify({ resources: [resource] }) })
  const [first, ...errors] = errorsOf(own)
  if (first !== undefined) return [first, ...errors].join('; ')
  const alone = compare(golden, apply(own, kind, raw)[0])
  if (alone !== undefined) return alone
  for (const file of beside) {
    const block = typeof resourceIndex === 'number' ? file.resources[resourceIndex] : undefined
    if (block === undefined || block.kind !== kind) continue
    const name = block.items?.name ?? ''
    const record =
      isObject(raw) && name !== '' ? Object.fromEntries(Object.entries(raw).filter(([key]) => key !== name)) : raw
    const output = apply(file, kind, record).find((found) => found.mapping === block.id)
    const different = compare(golden, output)
    if (different !== undefined) return `through the file: ${different}`
  }
  return undefined
}

function apply({ mappings }: CompiledMappings, kind: string, raw: Json): readonly MappingOutput[] {
  const { text } = writeJson(raw)
  // It was written a line above.
  return mappings.apply(kind, JSON.parse(text) as Json, { now: 0, text })
}

function compare(golden: JsonObject, output: MappingOutput | undefined): string | undefined {
  const { entity = null, result = 'ok' } = golden
  if (output === undefined) return 'the mapping gave nothing'
  const drafts = output.state === 'selected' ? output.drafts.map(({ draft }) => draft) : []
  // Without a usable name there is no entity here, whatever else the line says.
  const wanted = isObject(entity) ? text(entity['identifier']) : ''
  if (result !== 'ok' || !isObject(entity) || wanted === '') {
    return drafts.length === 0 ? undefined : `expected no entity, got ${drafts[0]?.identifier}`
  }
  if (output.state === 'quarantined') return output.problem.message
  const [problem] = output.state === 'selected' ? output.quarantined : []
  const draft = drafts.find(({ identifier }) => identifier === wanted)
  if (draft === undefined) {
    return (
      problem?.problem.message ??
      `expected ${wanted}, got ${drafts.map(({ identifier }) => identifier).join(', ') || 'nothing'}`
    )
  }
  return differences(entity, draft)
}

/** A failed field compares as null, as does one that is not there. Relations and teams name entities: see `names`. */
function differences(entity: JsonObject, draft: EntityDraft): string | undefined {
  const found: string[] = []
  const hold = (what: string, expected: Json | undefined, actual: unknown): void => {
    if (isDeepStrictEqual(expected ?? null, actual ?? null)) return
    found.push(`${what}: expected ${JSON.stringify(expected ?? null)}, got ${JSON.stringify(actual ?? null)}`)
  }
  hold('blueprint', entity['blueprint'], draft.blueprint)
  const title = entity['title'] ?? null
  hold('title', typeof title === 'number' || typeof title === 'boolean' ? String(title) : title, draft.title)
  hold('team', list(names(entity['team'])), draft.teamQuery ?? draft.team)
  const properties = fields(entity['properties'])
  for (const name of keys(properties, draft.properties)) {
    hold(`properties.${name}`, own(properties, name), own(draft.properties, name))
  }
  const relations = fields(entity['relations'])
  for (const name of keys(relations, draft.relations)) {
    hold(`relations.${name}`, names(own(relations, name)), own(draft.relations, name))
  }
  return found.length === 0 ? undefined : found.join('; ')
}

function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function keys(...objects: readonly object[]): Set<string> {
  return new Set(objects.flatMap(Object.keys))
}

function fields(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

/** Identifiers as they are kept: text, without those that name nothing. */
function names(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(names).filter((member) => member !== null)
  if (typeof value === 'number') return text(value)
  return value === undefined || value === '' ? null : value
}

function list(value: Json): Json {
  return value === null ? [] : typeof value === 'string' ? [value] : value
}

function text(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
