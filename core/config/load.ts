import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { parseEnv } from 'node:util'
import type { z } from 'zod'
import { type Diagnostic, didYouMean, Report, type TextRange } from '../mapping/diagnostic.ts'
import { SourceText } from '../mapping/source.ts'
import { parseYaml, type YamlNode } from '../mapping/yaml.ts'
import { locate, parseWith } from '../mapping/zod.ts'
import type { Config, Finding } from './config.ts'
import { readEnvironment, type Variables } from './environment.ts'
import { ConfigError } from './error.ts'
import { interpolate, reason } from './interpolate.ts'
import { type FileContent, fileSchema, seconds, usualHistory } from './schema.ts'
import { readSources } from './sources.ts'

export interface LoadOptions {
  /** Path of the configuration file. Default: CATCHMENT_CONFIG, then catchment.yaml in `cwd`, then the sandbox. */
  readonly file?: string | undefined
  /** Default: the environment of the process. */
  readonly env?: Variables
  /** Default: that of the process. */
  readonly cwd?: string
  /** The integrations there are, whose schemas check the `config` blocks. Absent: the blocks are not checked. */
  readonly integrations?: Readonly<Record<string, { readonly config: z.ZodType }>>
  /** Throws as fs does. */
  readonly readFile?: (path: string) => string
  /** Names in a folder; undefined when the path is no folder. */
  readonly listFolder?: (path: string) => readonly string[] | undefined
}

const nowhere: TextRange = { start: 0, end: 0 }

/**
 * The one reader of the process environment, of catchment.yaml and of `.env` beside it. Throws ConfigError with everything
 * that is wrong at once.
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const { env = process.env, cwd = process.cwd(), readFile = readText, listFolder = listNames } = options
  const named = options.file ?? (env['CATCHMENT_CONFIG'] || undefined)
  const path = absolute(cwd, named ?? 'catchment.yaml')
  const folder = dirname(path)
  const shown = shorten(cwd, path)
  const reports: Report[] = []

  const text = readOptional(readFile, path)
  if (text instanceof Error || (text === undefined && named !== undefined)) {
    const report = new Report(new SourceText(shown, ''))
    const why = text instanceof Error ? reason(text) : 'it does not exist'
    report.error('config_unreadable', nowhere, `the configuration file ${shown} cannot be read: ${why}`, {
      hint: named === undefined ? undefined : 'it was named with --config or CATCHMENT_CONFIG',
    })
    throw errorOf([report])
  }

  const dotenv = readOptional(readFile, join(folder, '.env'))
  const variables: Variables = { ...(typeof dotenv === 'string' ? parseEnv(dotenv) : {}), ...env }
  const outside = readEnvironment(variables, cwd)
  reports.push(...outside.reports)
  const { environment } = outside

  const report = new Report(new SourceText(shown, text ?? ''))
  reports.push(report)
  const root = text === undefined ? undefined : parseYaml(report, { duplicates: 'error' })
  const files = {
    readFile: (name: string) => readFile(absolute(folder, name)),
    listFolder: (name: string) => listFolder(absolute(folder, name)),
  }
  const node = root && interpolate(report, root, { variables, readFile: files.readFile })
  const content = node && parseContent(report, node)
  const sources =
    root === undefined || node === undefined
      ? []
      : readSources(report, {
          root,
          node,
          content,
          files,
          integrations: options.integrations,
          folder: shorten(cwd, folder),
        })
  const precedence = readPrecedence(report, node)
  if (reports.some(({ diagnostics }) => diagnostics.some(({ severity }) => severity === 'error')))
    throw errorOf(reports)

  return {
    mode: text === undefined ? 'sandbox' : 'file',
    ...(text === undefined ? {} : { file: path }),
    sources,
    precedence,
    history: { keepSeconds: seconds(content?.history.keep ?? usualHistory) },
    server: {
      host: environment.host ?? content?.server.host ?? '127.0.0.1',
      port: environment.port ?? Number(content?.server.port ?? 7100),
    },
    data: environment.data,
    ...(environment.databaseUrl === undefined ? {} : { databaseUrl: environment.databaseUrl }),
    ...(environment.adminKey === undefined ? {} : { adminKey: environment.adminKey }),
    ...(environment.url === undefined ? {} : { url: environment.url }),
    warnings: report.diagnostics,
    problem: (at, finding) => problem(report, root, at, finding),
  }
}

function parseContent(report: Report, node: YamlNode): FileContent | undefined {
  const empty = node.kind === 'scalar' && node.value === null
  const map: YamlNode = empty ? { kind: 'map', entries: [], range: nowhere } : node
  return parseWith(report, fileSchema, map, { start: 0, end: 1 })
}

/** Every source and `manual` once: those named, then the others in the order of the file. */
function readPrecedence(report: Report, node: YamlNode | undefined): string[] {
  const texts = (path: readonly string[], member?: string): string[] => {
    const list = node && locate(node, path, nowhere).node
    if (list?.kind !== 'list') return []
    const found = list.items.map((item) => (member === undefined ? item : locate(item, [member], nowhere).node))
    return found.map((item) => (item?.kind === 'scalar' ? item.text : ''))
  }
  const names = ['manual', ...texts(['sources'], 'name')]
  const given = texts(['precedence'])
  for (const [index, name] of given.entries()) {
    const range = node === undefined ? nowhere : locate(node, ['precedence', index], nowhere).range
    if (!names.includes(name)) {
      const hint = didYouMean(name, names) ?? `sources: ${names.join(', ')}`
      report.error('source_unknown', range, `there is no source "${name}"`, { hint })
    } else if (given.indexOf(name) !== index) report.error('precedence_twice', range, `"${name}" is here twice`)
  }
  return [...new Set([...given, ...names])]
}

function problem(
  report: Report,
  root: YamlNode | undefined,
  path: readonly (string | number)[],
  finding: Finding,
): ConfigError {
  const { range } = root === undefined ? { range: nowhere } : locate(root, path, nowhere)
  const single = new Report(report.source)
  single.error(finding.code, range, finding.message, { hint: finding.hint })
  return errorOf([single])
}

function errorOf(reports: readonly Report[]): ConfigError {
  const diagnostics: Diagnostic[] = reports.flatMap((report) => report.diagnostics)
  return new ConfigError(diagnostics, new Map(reports.map(({ source }) => [source.file, source])))
}

function absolute(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path)
}

/** As people call it: relative while it lies below where they are. */
function shorten(cwd: string, path: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') ? path : short
}

/** Undefined: there is no such file. An error: it is there and cannot be read. */
function readOptional(readFile: (path: string) => string, path: string): string | undefined | Error {
  try {
    return readFile(path)
  } catch (error) {
    const wrapped = error instanceof Error ? error : new Error(String(error))
    return 'code' in wrapped && wrapped.code === 'ENOENT' ? undefined : wrapped
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}

function listNames(path: string): readonly string[] | undefined {
  return statSync(path).isDirectory() ? readdirSync(path) : undefined
}
