import { countItems, explainDiagnostics, traceResource } from '../../core/mapping/index.ts'
import { exactInput } from '../../core/mapping/jq/index.ts'
import type { EntityDraft } from '../../core/model/entity.ts'
import type { Json } from '../../core/model/json.ts'
import type { MappingOutput } from '../../core/model/mapping.ts'
import type { Problem } from '../../core/model/problem.ts'
import { CatchmentError, parseJson, writeJson } from '../../core/sdk/index.ts'
import { type LoadedMapping, loadMapping, type MappingOptions, readFile } from './mapping-files.ts'
import { jsonTexts } from './mapping-input.ts'
import { print, printJson } from './output.ts'

export interface TestOptions extends MappingOptions {
  readonly items?: string
  readonly kind?: string
  readonly trace: boolean
  readonly json: boolean
}

type Trace = ReturnType<typeof traceResource>[number] & { readonly mapping: string }

/** What `itemsToParse` of one mapping gave. */
interface Parsed {
  readonly mapping: string
  readonly items: number
  readonly deselected: number
  /** The selector, and the expression that the items come from. */
  readonly selector: string
  readonly expression: string
}

interface ItemResult {
  readonly item: number
  readonly outputs: readonly MappingOutput[]
  /** Of mappings with `itemsToParse`; absent: none has. */
  readonly parsed?: readonly Parsed[]
  readonly trace?: readonly Trace[]
}

/** Exit status: 0 everything mapped, 1 a mistake in the file or anything that failed, 2 wrong usage. */
export function testMapping(file: string, options: TestOptions, input: () => string): number {
  const loaded = loadMapping(file, options)
  const errors = loaded.diagnostics.filter(({ severity }) => severity === 'error')
  const kind = chooseKind(file, loaded, options.kind)
  const items =
    options.items === undefined
      ? readItems('standard input', input())
      : readItems(options.items, readFile(options.items))
  const now = Date.now() / 1000
  const results = items.map((text, item): ItemResult => {
    // It was written from a value.
    const body = JSON.parse(text) as Json
    const outputs = loaded.mappings.apply(kind, body, { now, text })
    const context = { variables: { env: loaded.variables }, now, exact: () => exactInput(text) }
    const resources = loaded.resources.filter((resource) => resource.kind === kind)
    const parsed = parsedItems(resources, body, context)
    return {
      item,
      outputs,
      ...(parsed.length === 0 ? {} : { parsed }),
      ...(options.trace ? { trace: traceItem(resources, body, context) } : {}),
    }
  })
  const counts = count(results)
  if (options.json) printJson({ file, kind, items: results, diagnostics: loaded.diagnostics, counts })
  else {
    if (loaded.diagnostics.length > 0)
      print(`${explainDiagnostics(loaded.diagnostics, (name) => loaded.sources.get(name))}\n`)
    for (const result of results) print(describeItem(kind, result))
    const { items: objects, entities, ...rest } = counts
    print(
      [
        counted(objects, 'item'),
        entities === 1 ? '1 entity' : `${entities} entities`,
        ...Object.entries(rest).map(([name, n]) => `${n} ${name}`),
      ].join(', '),
    )
  }
  return errors.length > 0 || counts.quarantined > 0 || counts.failed > 0 ? 1 : 0
}

function chooseKind(
  file: string,
  { mappings, usable, diagnostics, sources }: LoadedMapping,
  given: string | undefined,
): string {
  const { kinds } = mappings
  if (!usable || kinds.length === 0) {
    const why =
      diagnostics.length === 0
        ? `${file} has no mappings`
        : explainDiagnostics(diagnostics, (name) => sources.get(name))
    throw new CatchmentError(why, { code: 'mapping_unusable', exitCode: 1 })
  }
  const [only] = kinds
  if (given === undefined && kinds.length === 1 && only !== undefined) return only
  if (given !== undefined && kinds.includes(given)) return given
  const message = given === undefined ? `${file} maps several kinds` : `${file} has no mapping of kind "${given}"`
  throw new CatchmentError(message, { code: 'kind_unknown', exitCode: 2, hint: `--kind ${kinds.join(' | ')}` })
}

/** One list is its members; otherwise every JSON text is an object. Each as JSON text, with the digits it came with. */
function readItems(name: string, text: string): readonly string[] {
  const { texts, rest } = jsonTexts(text)
  try {
    if (rest !== '') throw new SyntaxError(`it ends in the middle of ${rest.slice(0, 40)}`)
    const values = texts.map(parseJson)
    const [first] = values
    const items = values.length === 1 && Array.isArray(first) ? first : values
    return items.map((item) => writeJson(item).text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CatchmentError(`${name} is no JSON: ${why}`, { code: 'items_invalid', exitCode: 2 })
  }
}

type Resources = LoadedMapping['resources']
type RunContext = Parameters<typeof traceResource>[2]

function traceItem(resources: Resources, body: Json, context: RunContext): Trace[] {
  return resources.flatMap((resource) =>
    traceResource(resource, body, context).map((trace) => ({ mapping: resource.id, ...trace })),
  )
}

function parsedItems(resources: Resources, body: Json, context: RunContext): readonly Parsed[] {
  return resources.flatMap((resource) => {
    const counts = countItems(resource, body, context)
    if (counts === undefined || resource.items === undefined) return []
    const [selector, expression] = [resource.selector.text, resource.items.expression.text]
    return [{ mapping: resource.id, ...counts, selector, expression }]
  })
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function count(results: readonly ItemResult[]): {
  items: number
  entities: number
  deselected: number
  quarantined: number
  failed: number
} {
  const outputs = results.flatMap((result) => result.outputs)
  const selected = outputs.flatMap((output) => (output.state === 'selected' ? [output] : []))
  const drafts = selected.flatMap(({ drafts, updates = [] }) => [...drafts, ...updates])
  return {
    items: results.length,
    entities: drafts.length,
    deselected:
      outputs.filter(({ state }) => state === 'deselected').length +
      results.flatMap(({ parsed = [] }) => parsed).reduce((sum, { deselected }) => sum + deselected, 0),
    quarantined:
      outputs.filter(({ state }) => state === 'quarantined').length +
      selected.reduce((sum, { quarantined }) => sum + quarantined.length, 0),
    failed: drafts.reduce((sum, { draft }) => sum + draft.failed.length, 0),
  }
}

function describeItem(kind: string, { item, outputs, parsed = [], trace }: ItemResult): string {
  const lines = [`${kind} ${item}`]
  for (const output of outputs) {
    if (output.state === 'deselected') lines.push(`  ${output.mapping}: not selected by ${output.expression}`)
    else if (output.state === 'quarantined')
      lines.push(`  ${output.mapping}: set aside`, describeProblem(output.problem))
    else {
      for (const { draft } of output.drafts)
        lines.push(...describeDraft(`${draft.blueprint}:${draft.identifier}`, draft))
      for (const { query, draft } of output.updates ?? []) {
        lines.push(...describeDraft(`${draft.blueprint} where ${JSON.stringify(query)}`, draft))
      }
      for (const { item: part, problem } of output.quarantined)
        lines.push(`  ${output.mapping} ${part}: set aside`, describeProblem(problem))
      lines.push(...parsed.filter(({ mapping }) => mapping === output.mapping).flatMap(describeParsed))
    }
  }
  for (const step of trace ?? []) lines.push(...describeTrace(step))
  return `${lines.join('\n')}\n`
}

/** Nothing where every item was taken. */
function describeParsed({ mapping, items, deselected, selector, expression }: Parsed): string[] {
  if (items === 0) return [`  ${mapping}: no items in ${oneLine(expression)}`]
  if (deselected === 0) return []
  const which = deselected === items ? `none of ${counted(items, 'item')}` : `${deselected} of ${items} items not`
  return [`  ${mapping}: ${which} selected by ${oneLine(selector)}`]
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ').trim()
}

function describeDraft(name: string, draft: Omit<EntityDraft, 'identifier'>): string[] {
  const rows: [string, string][] = []
  if (draft.title !== null) rows.push(['title', draft.title])
  const team = draft.teamQuery ?? draft.team
  if (JSON.stringify(team) !== '[]') rows.push(['team', Array.isArray(team) ? team.join(', ') : JSON.stringify(team)])
  for (const [key, value] of Object.entries(draft.properties))
    rows.push([key, typeof value === 'string' ? value : JSON.stringify(value)])
  for (const [key, value] of Object.entries(draft.relations))
    rows.push([`→ ${key}`, typeof value === 'string' ? value : JSON.stringify(value)])
  const width = Math.max(0, ...rows.map(([key]) => key.length))
  const shorten = (text: string): string => {
    const line = text.replaceAll('\n', ' ')
    return line.length > 100 ? `${line.slice(0, 99)}…` : line
  }
  return [
    `  ${name}`,
    ...rows.map(([key, value]) => `    ${key.padEnd(width)}  ${shorten(value)}`),
    ...draft.failed.map(describeProblem),
  ]
}

function describeProblem({ field, expression, message, file, line, column }: Problem): string {
  const where = file === undefined ? '' : `${file}:${line}:${column}: `
  return `    ✗ ${field}: ${message}\n      ${where}${expression}`
}

function describeTrace({ mapping, position, field, expression, steps, result, error }: Trace): string[] {
  const where = position === undefined ? mapping : `${mapping} item ${position}`
  const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text)
  return [
    `  ${where} ${field}: ${expression.replaceAll('\n', ' ')}`,
    ...steps.map(({ part, gave }) => `      ${part.replaceAll('\n', ' ')}  ⇒  ${shorten(gave)}`),
    error === undefined ? `    = ${shorten(result ?? 'nothing')}` : `    ✗ ${error}`,
  ]
}
