import { isAbsolute, join } from 'node:path'
import type { z } from 'zod'
import { didYouMean, type Report, type TextRange } from '../mapping/diagnostic.ts'
import { toJson, type YamlNode } from '../mapping/yaml.ts'
import { locate, parseWith } from '../mapping/zod.ts'
import type { NamedText, SourceConfig } from './config.ts'
import { isInterpolated, reason } from './interpolate.ts'
import { isSecretName, Redacted } from './redacted.ts'
import { type FileContent, fraction, type SourceContent, seconds, usualFreshness } from './schema.ts'

export interface Reading {
  /** As written, to show; `node` has its interpolations replaced. */
  readonly root: YamlNode
  readonly node: YamlNode
  /** Absent when the file has another shape: then everything else that is wrong is still found. */
  readonly content: FileContent | undefined
  /** Folder of the configuration file, as people call it. */
  readonly folder: string
  readonly files: {
    readFile(path: string): string
    listFolder(path: string): readonly string[] | undefined
  }
  readonly integrations: Readonly<Record<string, { readonly config: z.ZodType }>> | undefined
}

type Path = readonly (string | number)[]

/** The sources of the file; those of a file with another shape are checked as far as they can be, and none is returned. */
export function readSources(report: Report, reading: Reading): SourceConfig[] {
  const { node: list } = locate(reading.node, ['sources'], nowhere)
  const names =
    list?.kind === 'list' ? list.items.map((_, index) => textAt(reading.node, ['sources', index, 'name'])) : []
  return names.flatMap((name, index) => {
    if (name === 'manual' || (name !== undefined && names.indexOf(name) !== index)) {
      const why = name === 'manual' ? '"manual" stands for what people write' : `there are two sources "${name}"`
      report.error('source_name', rangeOf(reading.node, ['sources', index, 'name']), why, {
        hint: 'give it another name',
      })
    }
    return readSource(report, reading, index) ?? []
  })
}

function readSource(report: Report, reading: Reading, index: number): SourceConfig | undefined {
  const path = ['sources', index] as const
  warnOfSecrets(report, locate(reading.root, path, nowhere).node)
  const config = readIntegrationConfig(report, reading, path)
  const mapping = readNamed(report, reading, [...path, 'mapping'])
  const blueprints = readBlueprints(report, reading, [...path, 'blueprints'])
  const source = reading.content?.sources[index]
  if (source === undefined) return undefined
  const { name, integration, kinds, keep, drop, schedule, variables, guard, quota, webhooks } = source
  const shown = locate(reading.root, [...path, 'config'], nowhere).node
  return {
    name,
    integration,
    config: new Redacted(config, shown === undefined ? {} : withoutSecrets(shown)),
    ...(mapping === undefined ? {} : { mapping }),
    ...(blueprints === undefined ? {} : { blueprints }),
    ...(kinds === undefined ? {} : { kinds }),
    keep: typeof keep === 'string' ? { default: keep } : keep,
    drop,
    schedule: { scan: schedule.scan, ...freshnessOf(schedule.freshness) },
    variables: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, String(value)])),
    guard: { share: fraction(guard.share), minimum: guard.minimum },
    quota: { reserve: fraction(quota.reserve) },
    webhooks: {
      manage: webhooks.manage,
      ...(webhooks.url === undefined ? {} : { url: webhooks.url.replace(/\/+$/, '') }),
      ...(webhooks.secret === undefined ? {} : { secret: new Redacted(webhooks.secret) }),
    },
  }
}

/** One objective for all kinds, or one for each that is named and `default` for the others. */
function freshnessOf(said: SourceContent['schedule']['freshness']): {
  readonly freshnessSeconds: number
  readonly freshnessByKind?: Readonly<Record<string, number>>
} {
  if (typeof said === 'string') return { freshnessSeconds: seconds(said) }
  const { default: others, ...kinds } = said
  return {
    freshnessSeconds: seconds(others ?? usualFreshness),
    freshnessByKind: Object.fromEntries(Object.entries(kinds).map(([kind, text]) => [kind, seconds(text)])),
  }
}

const nowhere: TextRange = { start: 0, end: 0 }

function rangeOf(node: YamlNode, path: Path): TextRange {
  return locate(node, path, nowhere).range
}

function textAt(node: YamlNode, path: Path): string | undefined {
  const found = locate(node, path, nowhere).node
  return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : undefined
}

function readIntegrationConfig(report: Report, reading: Reading, path: Path): unknown {
  const { integrations, node } = reading
  const name = textAt(node, [...path, 'integration'])
  const at = locate(node, [...path, 'config'], rangeOf(node, path))
  if (integrations === undefined) return at.node === undefined ? {} : toJson(at.node)
  if (name === undefined) return undefined
  const known = Object.hasOwn(integrations, name) ? integrations[name] : undefined
  if (known === undefined) {
    const names = Object.keys(integrations)
    report.error('integration_unknown', rangeOf(node, [...path, 'integration']), `there is no integration "${name}"`, {
      hint: didYouMean(name, names) ?? `integrations: ${names.join(', ')}`,
    })
    return undefined
  }
  const empty: YamlNode = { kind: 'map', entries: [], range: at.range }
  return parseWith(report, known.config, at.node ?? empty, at.range, [...path, 'config'].join('.'))
}

/** A secret that stands in the file itself is one commit away from being public. */
function warnOfSecrets(report: Report, node: YamlNode | undefined): void {
  if (node?.kind === 'list') for (const item of node.items) warnOfSecrets(report, item)
  if (node?.kind !== 'map') return
  for (const { key, value } of node.entries) {
    warnOfSecrets(report, value)
    if (!isSecretName(key) || value.kind !== 'scalar' || typeof value.value !== 'string' || isInterpolated(value))
      continue
    report.warning('secret_in_file', value.range, `"${key}" stands in the file itself`, {
      hint: 'take it from the environment with ${env:NAME}, or from a file with ${file:./path}',
    })
  }
}

/** The block as written: interpolations instead of what they stand for, and no literal secrets. */
function withoutSecrets(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(withoutSecrets)
  return Object.fromEntries(
    node.entries.map(({ key, value }) => {
      const literal = isSecretName(key) && !(value.kind === 'scalar' && isInterpolated(value))
      return [key, literal ? '[redacted]' : withoutSecrets(value)]
    }),
  )
}

function readNamed(report: Report, reading: Reading, at: Path): NamedText | undefined {
  const path = textAt(reading.node, at)
  return path === undefined ? undefined : readFile(report, reading, path, at)
}

function readFile(report: Report, reading: Reading, path: string, at: Path): NamedText | undefined {
  try {
    return { file: isAbsolute(path) ? path : join(reading.folder, path), text: reading.files.readFile(path) }
  } catch (error) {
    report.error('file_unreadable', rangeOf(reading.node, at), `the file ${path} cannot be read: ${reason(error)}`, {
      hint: 'the path is relative to this configuration file',
    })
    return undefined
  }
}

/** One file, or all YAML and JSON files of a folder by name. */
function readBlueprints(report: Report, reading: Reading, at: Path): readonly NamedText[] | undefined {
  const path = textAt(reading.node, at)
  if (path === undefined) return undefined
  let names: readonly string[] | undefined
  try {
    names = reading.files.listFolder(path)?.filter((name) => /\.(ya?ml|json)$/.test(name))
  } catch {
    // It does not exist: reading it says so with its place.
    names = undefined
  }
  if (names?.length === 0) {
    report.error('folder_empty', rangeOf(reading.node, at), `the folder ${path} has no .yaml or .json file`)
  }
  const files = names === undefined ? [path] : [...names].sort().map((name) => join(path, name))
  return files.flatMap((file) => readFile(report, reading, file, at) ?? [])
}
