import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type CompiledMappings,
  compileMappings,
  type Diagnostic,
  parseBlueprints,
  SourceText,
} from '../../core/mapping/index.ts'
import type { Blueprint } from '../../core/model/blueprint.ts'
import { CatchmentError } from '../../core/sdk/index.ts'

export interface MappingOptions {
  readonly blueprints?: string
  readonly variable: readonly string[]
}

export interface LoadedMapping extends CompiledMappings {
  /** Of the mapping file and its blueprints. */
  readonly diagnostics: readonly Diagnostic[]
  readonly sources: ReadonlyMap<string, SourceText>
  readonly variables: Readonly<Record<string, string>>
}

/** Reads and compiles a mapping file with the blueprints given, or with those that lie beside it. */
export function loadMapping(file: string, options: MappingOptions): LoadedMapping {
  const variables = parseVariables(options.variable)
  const sources = new Map<string, SourceText>()
  const diagnostics: Diagnostic[] = []
  let blueprints: Blueprint[] | undefined
  for (const path of blueprintFiles(file, options.blueprints)) {
    const text = readFile(path)
    const parsed = parseBlueprints(path, text)
    sources.set(path, new SourceText(path, text))
    diagnostics.push(...parsed.diagnostics)
    blueprints = [...(blueprints ?? []), ...parsed.blueprints]
  }
  const text = readFile(file)
  sources.set(file, new SourceText(file, text))
  const compiled = compileMappings({ file, text, blueprints, variables })
  return { ...compiled, diagnostics: [...diagnostics, ...compiled.diagnostics], sources, variables }
}

/** The text of a file a person named. */
export function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CatchmentError(`${path} cannot be read: ${why}`, { code: 'file_unreadable', exitCode: 2 })
  }
}

function blueprintFiles(file: string, given: string | undefined): string[] {
  if (given === undefined) {
    const beside = ['blueprints.yaml', 'blueprints.yml', 'blueprints.json'].map((name) => join(dirname(file), name))
    return beside.filter((path) => existsSync(path)).slice(0, 1)
  }
  if (!existsSync(given) || !statSync(given).isDirectory()) return [given]
  const names = readdirSync(given).filter((name) => /\.(ya?ml|json)$/.test(name))
  return names.sort().map((name) => join(given, name))
}

function parseVariables(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
      throw new CatchmentError(`--variable ${text} is not NAME=VALUE`, { code: 'usage', exitCode: 2 })
    }),
  )
}
