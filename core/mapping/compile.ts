import type { Blueprint } from '../model/blueprint.ts'
import type { Json } from '../model/json.ts'
import type { MappingOutput, Mappings } from '../model/mapping.ts'
import { applyResource } from './apply.ts'
import { checkResource } from './check.ts'
import { type Diagnostic, Report, sortDiagnostics } from './diagnostic.ts'
import { BlueprintIndex } from './expectation.ts'
import { readMappingFile } from './file.ts'
import { contentHash, engineVersion } from './hash.ts'
import type { MappingOptions, ResourceBlock } from './parsed.ts'
import { SourceText } from './source.ts'

export interface MappingSource {
  /** File name for messages. */
  readonly file: string
  readonly text: string
  /** Every blueprint that entities may have, those of other sources included. Absent: nothing is held against blueprints. */
  readonly blueprints?: readonly Blueprint[] | undefined
  /** What expressions may read as `env`. */
  readonly variables?: Readonly<Record<string, string>>
  /** Kinds the integration lists. Absent: not known. */
  readonly kinds?: readonly string[]
}

export interface CompiledMappings {
  readonly mappings: Mappings
  /** In reading order. A mapping with an error quarantines its records, a field with one fails; the others work. */
  readonly diagnostics: readonly Diagnostic[]
  /** False: the file as a whole cannot be read, and `mappings` knows no kind. It must not replace an active version. */
  readonly usable: boolean
  readonly options: MappingOptions
  readonly resources: readonly ResourceBlock[]
}

/** Compiles a mapping file once; `mappings.apply` then runs for every changed record. Never throws. */
export function compileMappings(source: MappingSource): CompiledMappings {
  const { file, text, blueprints, variables = {} } = source
  const report = new Report(new SourceText(file, text))
  const parsed = readMappingFile(report)
  const resources = parsed?.resources ?? []
  const known = {
    blueprints: blueprints && new Map(blueprints.map((blueprint) => [blueprint.identifier, blueprint])),
    kinds: source.kinds,
    variables: Object.keys(variables),
    undeclared: new Set<string>(),
  }
  for (const resource of resources) checkResource(report, resource, known)
  const hash = contentHash(JSON.stringify([engineVersion, text, blueprints ?? null, Object.entries(variables)]))
  return {
    mappings: new FileMappings(hash, resources, new BlueprintIndex(blueprints), variables),
    diagnostics: sortDiagnostics(report.diagnostics),
    usable: parsed !== undefined,
    options: parsed?.options ?? { other: {} },
    resources,
  }
}

const nothing: readonly MappingOutput[] = []

class FileMappings implements Mappings {
  readonly hash: string
  readonly kinds: readonly string[]
  readonly #byKind: ReadonlyMap<string, readonly ResourceBlock[]>
  readonly #blueprints: BlueprintIndex
  /** One for all evaluations, which never overlap. */
  readonly #context: { variables: Readonly<Record<string, Json>>; now: number }

  constructor(
    hash: string,
    resources: readonly ResourceBlock[],
    blueprints: BlueprintIndex,
    variables: Readonly<Record<string, string>>,
  ) {
    this.hash = hash
    this.#byKind = Map.groupBy(resources, ({ kind }) => kind)
    this.kinds = [...this.#byKind.keys()]
    this.#blueprints = blueprints
    this.#context = { variables: { env: variables }, now: 0 }
  }

  apply(kind: string, body: Json, context: { readonly now: number }): readonly MappingOutput[] {
    const resources = this.#byKind.get(kind)
    if (resources === undefined) return nothing
    this.#context.now = context.now
    return resources.map((resource) => applyResource(resource, this.#blueprints, body, this.#context))
  }
}
