import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { NamedText, SourceConfig } from '../../../core/config/index.ts'
import { parseBlueprints } from '../../../core/mapping/blueprints.ts'
import { type CompiledMappings, compileMappings } from '../../../core/mapping/compile.ts'
import type { Diagnostic } from '../../../core/mapping/diagnostic.ts'
import type { Blueprint } from '../../../core/model/blueprint.ts'
import { CatchmentError, type Connection, type Integration, type Json } from '../../../core/sdk/index.ts'
import type { MappingContent } from '../../../core/sync/engine.ts'
import { connectNowhere } from './kinds.ts'

const shipped = (integration: string, name: string): string =>
  fileURLToPath(new URL(`../../../mappings/${integration}/${name}`, import.meta.url))

/** What a source says now, from the files: `SourceRuntime.mappingContent`. */
export interface MappingFiles extends MappingContent {
  readonly blueprints: readonly Blueprint[]
}

/** The mapping file of a source: its own, or the shipped one. */
export function mappingOf(source: Pick<SourceConfig, 'integration' | 'mapping'>): NamedText {
  return (
    source.mapping ?? {
      file: `mappings/${source.integration}/mapping.yaml`,
      text: readFileSync(shipped(source.integration, 'mapping.yaml'), 'utf8'),
    }
  )
}

/** The blueprints a source's files declare, whatever is wrong with some of them. */
export function blueprintsOf(source: SourceConfig): readonly Blueprint[] {
  return readFiles(source).content.blueprints
}

export function readFiles(source: SourceConfig): { content: MappingFiles; diagnostics: readonly Diagnostic[] } {
  const mapping = mappingOf(source)
  const blueprintFiles = source.blueprints ?? [
    {
      file: `mappings/${source.integration}/blueprints.yaml`,
      text: readFileSync(shipped(source.integration, 'blueprints.yaml'), 'utf8'),
    },
  ]
  const parsed = blueprintFiles.map(({ file, text }) => parseBlueprints(file, text))
  return {
    content: {
      file: mapping.file,
      mapping: mapping.text,
      blueprints: parsed.flatMap(({ blueprints }) => blueprints),
      variables: source.variables,
    },
    diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
  }
}

export type Compile = (content: MappingFiles, others: readonly Blueprint[]) => CompiledMappings

export function compiler(connection: Connection, { aliases, options = [] }: Integration): Compile {
  const kinds = new Map(connection.kinds.map((kind) => [kind.name, kind]))
  return (content, others) => {
    const own = new Set(content.blueprints.map(({ identifier }) => identifier))
    return compileMappings({
      file: content.file,
      text: content.mapping,
      blueprints: [...content.blueprints, ...others.filter(({ identifier }) => !own.has(identifier))],
      variables: content.variables,
      kinds: [...kinds.keys()],
      aliases,
      options,
      selects: (kind, item, selector) => kinds.get(kind)?.selects?.(item, selector) ?? true,
    })
  }
}

/** What is to be said of the mapping and blueprint files of every source. Needs neither a database nor the tool. */
export function findingsOf(
  sources: readonly SourceConfig[],
  integrations: Readonly<Record<string, Integration>>,
): readonly Diagnostic[] {
  const read = sources.map((source) => ({ source, files: readFiles(source) }))
  return read.flatMap(({ source, files }) => {
    const integration = integrations[source.integration]
    if (integration === undefined) return files.diagnostics
    const compile = compiler(connectNowhere(integration, source.config.reveal()), integration)
    const others = read.filter((each) => each.source !== source).flatMap((each) => each.files.content.blueprints)
    return [...files.diagnostics, ...compile(files.content, others).diagnostics]
  })
}

/** `warning: FILE:LINE:COLUMN: MESSAGE`, for people. */
export function describeWarnings(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics
    .filter((finding) => finding.severity !== 'error')
    .map(({ file, line, column, message, code }) => `warning: ${file}:${line}:${column}: ${message} [${code}]`)
}

/** Everything that is wrong with a mapping file or blueprints, each with its place. */
export class MappingFileError extends CatchmentError {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    super(describeErrors(diagnostics), { code: 'mapping_invalid', exitCode: 2 })
    this.diagnostics = diagnostics
  }
}

export function describeErrors(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .filter((finding) => finding.severity === 'error')
    .map(
      ({ file, line, column, message, hint }) =>
        `${file}:${line}:${column}: ${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`,
    )
    .join('\n')
}

/** Written by `activateMapping` from a MappingFiles. */
export function contentOf(content: Json): MappingFiles {
  return content as unknown as MappingFiles
}

/** Files are text and what was parsed from it. */
export function toJson(content: unknown): Json {
  return JSON.parse(JSON.stringify(content)) as Json
}
