import { didYouMean, type Report, type TextRange } from './diagnostic.ts'
import { describe, entryOf, type YamlEntry, type YamlMap, type YamlNode, type YamlScalar } from './yaml.ts'

/**
 * Whose rules hold for keys we do not know. In a file of the other catalog product (`port:` blocks) they are ignored there,
 * so they are a warning; in our own form they are a mistake.
 */
export type Dialect = 'port' | 'own'

export interface Site {
  readonly report: Report
  readonly dialect: Dialect
  /** Mapping id. */
  readonly mapping: string
}

/** Reports keys that are not known, with the one that was probably meant. */
export function checkKeys(site: Site, map: YamlMap, known: readonly string[], where: string): void {
  for (const { key, keyRange } of map.entries) {
    if (known.includes(key)) continue
    const hint = didYouMean(key, known) ?? `known here: ${known.join(', ')}`
    if (site.dialect === 'own') site.report.error('key_unknown', keyRange, `${where} has no key "${key}"`, { hint })
    else site.report.warning('key_ignored', keyRange, `"${key}" is ignored: ${where} has no such key`, { hint })
  }
}

export function asMap(
  report: Report,
  node: YamlNode,
  range: TextRange,
  where: string,
  hint?: string,
): YamlMap | undefined {
  if (node.kind === 'map') return node
  report.error('shape_wrong', range, `${where} must be a block of keys, not ${describe(node)}`, { hint })
  return undefined
}

/** A scalar that holds an expression or a name; null counts as not written. */
export function asScalar(report: Report, entry: YamlEntry, where: string): YamlScalar | undefined {
  const { value } = entry
  if (value.kind === 'scalar') return value.value === null ? undefined : value
  report.error('shape_wrong', entry.keyRange, `${where} must be an expression, not ${describe(value)}`)
  return undefined
}

/** True and false, also in the words of YAML 1.1. */
export function asBoolean(report: Report, entry: YamlEntry): boolean | undefined {
  const { value } = entry
  const text = value.kind === 'scalar' ? value.text.toLowerCase() : ''
  if (['true', 'yes', 'on'].includes(text)) return true
  if (['false', 'no', 'off'].includes(text)) return false
  report.error('shape_wrong', entry.keyRange, `"${entry.key}" must be true or false, not ${describe(value)}`)
  return undefined
}

/** Not said of a key that is there but misspelled, where `checkKeys` makes a mistake of that. */
export function missing(
  { report, dialect }: Pick<Site, 'report' | 'dialect'>,
  map: YamlMap,
  key: string,
  what: string,
): void {
  const misspelled = map.entries.some((entry) => entry.key !== key && didYouMean(entry.key, [key]) !== undefined)
  if (dialect === 'own' && misspelled && entryOf(map, key) === undefined) return
  const range = map.entries[0]?.keyRange ?? map.range
  report.error('key_missing', range, `"${key}" is missing: ${what}`)
}
