import type { Blueprint } from '../model/blueprint.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { MappingContext, MappingOutput, Mappings, MappingsAbout } from '../model/mapping.ts'
import { aboutResources } from './about.ts'
import { applyResource } from './apply.ts'
import { checkResource } from './check.ts'
import { type Diagnostic, Report, sortDiagnostics } from './diagnostic.ts'
import { BlueprintIndex } from './expectation.ts'
import { readMappingFile } from './file.ts'
import { canonicalText, contentHash, engineVersion } from './hash.ts'
import { exactInput } from './jq/index.ts'
import type { Value } from './jq/value.ts'
import type { MappingOptions, ResourceBlock } from './parsed.ts'
import { SourceText } from './source.ts'
import { wantsOf } from './wants.ts'

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
  /** Other names of kinds. */
  readonly aliases?: Readonly<Record<string, string>> | undefined
  /** Keys at the root that the integration reads. Absent: not known, so only misspelled ones are told of. */
  readonly options?: readonly string[] | undefined
  /** Does a mapping with these selector fields want the item? Absent: every mapping wants all. */
  readonly selects?: (kind: string, item: Json, selector: JsonObject) => boolean
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
  const parsed = readMappingFile(report, source.options)
  const { aliases = {} } = source
  const resources = (parsed?.resources ?? []).map((resource) => {
    const kind = Object.hasOwn(aliases, resource.kind) ? aliases[resource.kind] : undefined
    return kind === undefined ? resource : { ...resource, kind }
  })
  const known = {
    blueprints: blueprints && new Map(blueprints.map((blueprint) => [blueprint.identifier, blueprint])),
    kinds: source.kinds,
    variables: Object.keys(variables),
    undeclared: new Set<string>(),
  }
  for (const resource of resources) checkResource(report, resource, known)
  const options = parsed?.options ?? { other: {} }
  const hash = contentHash(canonicalText([engineVersion, text, blueprints ?? null, variables, ...meaningOf(options)]))
  return {
    mappings: new FileMappings(hash, resources, new BlueprintIndex(blueprints), variables, source.selects, options),
    diagnostics: sortDiagnostics(report.diagnostics),
    usable: parsed !== undefined,
    options,
    resources,
  }
}

/** Options whose meaning came after the first release: files with one of them are mapped again. */
function meaningOf({ createMissingRelatedEntities }: MappingOptions): readonly string[] {
  return createMissingRelatedEntities === true ? ['stubs'] : []
}

const nothing: readonly MappingOutput[] = []

class FileMappings implements Mappings {
  readonly hash: string
  readonly kinds: readonly string[]
  readonly about: MappingsAbout
  readonly threshold?: number
  readonly cascades?: true
  readonly wants?: NonNullable<Mappings['wants']>
  readonly #byKind: ReadonlyMap<string, readonly ResourceBlock[]>
  readonly #blueprints: BlueprintIndex
  readonly #selects: MappingSource['selects']
  /** One for all evaluations, which never overlap. */
  readonly #context: { variables: Readonly<Record<string, Json>>; now: number; exact: (() => Value) | undefined }

  constructor(
    hash: string,
    resources: readonly ResourceBlock[],
    blueprints: BlueprintIndex,
    variables: Readonly<Record<string, string>>,
    selects: MappingSource['selects'],
    options: MappingOptions,
  ) {
    const { createMissingRelatedEntities, deleteDependentEntities, entityDeletionThreshold } = options
    if (deleteDependentEntities === true) this.cascades = true
    if (entityDeletionThreshold !== undefined) this.threshold = entityDeletionThreshold
    if (createMissingRelatedEntities === true) this.wants = wantsOf(blueprints)
    this.#selects = selects
    this.hash = hash
    this.#byKind = Map.groupBy(resources, ({ kind }) => kind)
    this.kinds = [...this.#byKind.keys()]
    this.about = aboutResources(resources, variables)
    this.#blueprints = blueprints
    this.#context = { variables: { env: variables }, now: 0, exact: undefined }
  }

  apply(kind: string, body: Json, { now, text }: MappingContext): readonly MappingOutput[] {
    const resources = this.#byKind.get(kind)
    if (resources === undefined) return nothing
    this.#context.now = now
    let exact: Value | undefined
    this.#context.exact = text === undefined ? undefined : () => (exact ??= exactInput(text))
    return resources.map((resource) => {
      if (!this.#wants(resource, body)) {
        // Named as it stands in the file, for whoever asks why an object made nothing.
        return { mapping: resource.id, state: 'deselected', expression: JSON.stringify(resource.selectorFields) }
      }
      return applyResource(resource, this.#blueprints, body, this.#context)
    })
  }

  #wants({ kind, selectorFields }: ResourceBlock, body: Json): boolean {
    return this.#selects === undefined || this.#selects(kind, body, selectorFields)
  }
}
