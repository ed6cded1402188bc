import type { Store } from '../../../core/catalog/store.ts'
import type { SourceConfig } from '../../../core/config/index.ts'
import type { Http } from '../../../core/http/index.ts'
import type { CompiledMappings } from '../../../core/mapping/compile.ts'
import type { Diagnostic } from '../../../core/mapping/diagnostic.ts'
import type { Blueprint } from '../../../core/model/blueprint.ts'
import type { Mappings } from '../../../core/model/mapping.ts'
import { differences } from '../../../core/plan/candidate.ts'
import { type Asked, type Connection, type Integration, isObject, type Json } from '../../../core/sdk/index.ts'
import type { SourceRuntime, Version } from '../../../core/sync/engine.ts'
import { type Keeping, keepLess } from '../../../core/sync/keep-less.ts'
import { askedIn, kindsToScan } from './asked.ts'
import {
  type Compile,
  compiler,
  contentOf,
  describeErrors,
  MappingFileError,
  type MappingFiles,
  readFiles,
  toJson,
} from './files.ts'
import { openHttp, type SourceTools } from './open-http.ts'

export interface BuiltSource {
  readonly runtime: SourceRuntime
  readonly http: Http
  /** Set when the files say something else than what is active, and the active version goes on. */
  readonly pending?: string
  readonly warnings: readonly Diagnostic[]
}

/** Connects one configured source and compiles its mapping; opens no connection and calls nothing yet. */
export async function buildSource(
  source: SourceConfig,
  integration: Integration,
  store: Store,
  tools: SourceTools,
  options: {
    readonly apply: boolean
    readonly precedence: number
    /** Of the other sources: a mapping may make entities of any blueprint there is. */
    readonly blueprints: readonly Blueprint[]
    /** The source as its files have it now. */
    readonly reread: () => SourceConfig
  },
): Promise<BuiltSource> {
  const { precedence } = options
  const files = readFiles(source)
  const row = await store.saveSource({ name: source.name, integration: source.integration, precedence })
  const active = await store.activeMapping(row.id)
  // Both versions are fetched for: which of them goes on is not decided yet, and may be decided anew while it runs.
  const versions = active === undefined ? [files.content] : [files.content, contentOf(active.content)]
  const asked = askedIn(versions, integration.aliases)
  const { connection: whole, http } = connect(source, integration, tools, asked)
  const keeping = keepingOf(source, integration)
  const connection = keeping === undefined ? whole : keepLess(whole, keeping)
  const compile = compiler(connection, integration)
  const fromFiles = compile(files.content, options.blueprints)
  const diagnostics = [...files.diagnostics, ...fromFiles.diagnostics]
  const broken = !fromFiles.usable || diagnostics.some((finding) => finding.severity === 'error')
  // Compiled anew: a new version of the engine may make something else of the same files, and then runs over the records.
  const kept = active === undefined ? undefined : remembered(active.content, compile, options.blueprints)
  if (broken && (options.apply || kept === undefined)) throw new MappingFileError(diagnostics)
  const pending = !options.apply && kept !== undefined && kept.mappings.hash !== fromFiles.mappings.hash
  const { mappings, content } = pending ? kept : { mappings: fromFiles.mappings, content: files.content }
  // From here on the engine follows what is active; the same files under another engine version are its own business.
  if (
    active !== undefined &&
    active.hash !== mappings.hash &&
    differences(contentOf(active.content), content).length > 0
  ) {
    const version = { hash: mappings.hash, content: toJson(content), blueprints: content.blueprints.map(toJson) }
    await store.activateMapping(row.id, version, { who: 'start', how: 'apply' })
  }
  const kinds = kindsToScan(
    source,
    integration,
    connection.kinds.map(({ name }) => name),
  )
  const secret = source.webhooks.secret?.reveal()
  return {
    http,
    warnings: diagnostics,
    ...(pending ? { pending: pendingText(source.name, files.content.file, broken ? diagnostics : []) } : {}),
    runtime: {
      name: source.name,
      integration: source.integration,
      connection,
      mappings,
      mappingContent: content,
      versions: {
        compile: (other) => versionOf(compile(contentOf(toJson(other)), options.blueprints)),
        files: () => readFiles(options.reread()).content,
      },
      kinds,
      schedule: source.schedule,
      guard: source.guard,
      precedence,
      usage: () => http.usage(),
      ...(secret === undefined ? {} : { webhookSecret: secret }),
      ...(keeping === undefined ? {} : { keeping }),
    },
  }
}

/** Kinds may be called by another product's names. Undefined: all is kept. */
function keepingOf({ keep, drop }: SourceConfig, { aliases = {} }: Integration): Keeping | undefined {
  const own = <T>(said: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(said).map(([kind, value]) => [aliases[kind] ?? kind, value]))
  const [kept, dropped] = [own(keep), own(drop)]
  if (!Object.values(kept).includes('hash') && Object.keys(dropped).length === 0) return undefined
  return { drop: dropped, hashOnly: (kind) => (kept[kind] ?? kept['default']) === 'hash' }
}

function pendingText(source: string, file: string, diagnostics: readonly Diagnostic[]): string {
  if (diagnostics.length === 0)
    return `The mapping of ${source} (${file}) has changed; the active version goes on. See what it would do with: catchment plan`
  return `The mapping of ${source} has mistakes; the active version goes on.\n${describeErrors(diagnostics)}`
}

function connect(
  source: SourceConfig,
  integration: Integration,
  tools: SourceTools,
  asked: Asked,
): { connection: Connection; http: Http } {
  const { ports } = tools
  const http = openHttp(source, tools)
  const connection = integration.connect(source.config.reveal(), {
    fetch: http.fetch,
    log: (level, message, fields) => ports.log(level, message, { source: source.name, ...fields }),
    now: () => ports.clock.now(),
    asked,
    ...(tools.folder === undefined ? {} : { folder: tools.folder }),
  })
  return { connection, http }
}

/** The active version, from what the database remembers of its files. */
function remembered(
  content: Json,
  compile: Compile,
  others: readonly Blueprint[],
): { mappings: Mappings; content: MappingFiles; options: CompiledMappings['options'] } | undefined {
  if (!isObject(content)) return undefined
  const files = contentOf(content)
  const { mappings, usable, options } = compile(files, others)
  return usable ? { mappings, content: files, options } : undefined
}

function versionOf(compiled: CompiledMappings): Version {
  const fetching = Map.groupBy(compiled.resources, ({ kind }) => kind)
  return {
    mappings: compiled.mappings,
    usable: compiled.usable,
    problems: compiled.diagnostics,
    fetches: Object.fromEntries(
      [...fetching].flatMap(([kind, resources]) => {
        const fields = resources
          .map(({ selectorFields }) => selectorFields)
          .filter((each) => Object.keys(each).length > 0)
        return fields.length === 0 ? [] : [[kind, fields]]
      }),
    ),
  }
}
