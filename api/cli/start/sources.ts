import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Store } from '../../../core/catalog/store.ts'
import type { NamedText, SourceConfig } from '../../../core/config/index.ts'
import { type Budgets, createHttp, type Http } from '../../../core/http/index.ts'
import { parseBlueprints } from '../../../core/mapping/blueprints.ts'
import { type CompiledMappings, compileMappings } from '../../../core/mapping/compile.ts'
import type { Diagnostic } from '../../../core/mapping/diagnostic.ts'
import type { Blueprint } from '../../../core/model/blueprint.ts'
import type { Mappings } from '../../../core/model/mapping.ts'
import { differences } from '../../../core/plan/candidate.ts'
import {
  type Asked,
  CatchmentError,
  type Connection,
  type Integration,
  isObject,
  type Json,
} from '../../../core/sdk/index.ts'
import type { MappingContent, Ports, SourceRuntime, Version } from '../../../core/sync/engine.ts'
import { type Keeping, keepLess } from '../../../core/sync/keep-less.ts'
import { askedIn, kindsToScan } from './asked.ts'
import { connectNowhere } from './kinds.ts'

export interface SourceTools {
  readonly ports: Pick<Ports, 'clock' | 'random' | 'log'>
  readonly budgets: Budgets
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the configuration file. */
  readonly folder?: string
}

export interface BuiltSource {
  readonly runtime: SourceRuntime
  readonly http: Http
  /** Set when the files say something else than what is active, and the active version goes on. */
  readonly pending?: string
  readonly warnings: readonly Diagnostic[]
}

const shipped = (integration: string, name: string): string =>
  fileURLToPath(new URL(`../../../mappings/${integration}/${name}`, import.meta.url))

/** What a source says now, from the files: `SourceRuntime.mappingContent`. */
interface MappingFiles extends MappingContent {
  readonly blueprints: readonly Blueprint[]
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

function describeErrors(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .filter((finding) => finding.severity === 'error')
    .map(
      ({ file, line, column, message, hint }) =>
        `${file}:${line}:${column}: ${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`,
    )
    .join('\n')
}

/** The blueprints a source's files declare, whatever is wrong with some of them. */
export function blueprintsOf(source: SourceConfig): readonly Blueprint[] {
  return readFiles(source).content.blueprints
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

/** HTTP as a source is called with: its credential's budget, the machine's proxy and certificate authority. */
export function openHttp(source: Pick<SourceConfig, 'config' | 'quota'>, tools: SourceTools): Http {
  const { environment, ports } = tools
  const ca = environment['NODE_EXTRA_CA_CERTS']
  const proxy = environment['HTTPS_PROXY'] ?? environment['https_proxy']
  const noProxy = environment['NO_PROXY'] ?? environment['no_proxy']
  return createHttp({
    // Sources that use one token share its allowance; the digest names it without telling it.
    credential: createHash('sha256')
      .update(JSON.stringify(credentialOf(source.config.reveal())))
      .digest('hex'),
    budgets: tools.budgets,
    clock: ports.clock,
    random: ports.random,
    log: ports.log,
    reserveShare: source.quota.reserve,
    ...(proxy === undefined || proxy === '' ? {} : { proxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
    ...(ca === undefined || ca === '' ? {} : { ca: readFileSync(ca, 'utf8') }),
  })
}

function credentialOf(settings: unknown): unknown {
  if (typeof settings !== 'object' || settings === null) return settings
  const { token, baseUrl } = settings as { token?: unknown; baseUrl?: unknown }
  return token === undefined ? settings : [token, baseUrl]
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

function readFiles(source: SourceConfig): { content: MappingFiles; diagnostics: readonly Diagnostic[] } {
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

type Compile = (content: MappingFiles, others: readonly Blueprint[]) => CompiledMappings

function compiler(connection: Connection, { aliases, options = [] }: Integration): Compile {
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

/** Written by `activateMapping` from a MappingFiles. */
function contentOf(content: Json): MappingFiles {
  return content as unknown as MappingFiles
}

/** Files are text and what was parsed from it. */
function toJson(content: unknown): Json {
  return JSON.parse(JSON.stringify(content)) as Json
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
