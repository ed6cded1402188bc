import { LineCounter, parseAllDocuments } from 'yaml'
import type { Json } from '../../core/sdk/index.ts'

/**
 * A file's content as mappings read it: JSON and YAML parsed (several YAML documents are a list), everything else as text.
 * What cannot be parsed stays text: then what a mapping reads of it fails where people see it.
 */
export function parseFile(path: string, text: string): Json {
  try {
    if (/\.json$/i.test(path)) return JSON.parse(text) as Json
    if (/\.ya?ml$/i.test(path)) return parseYaml(text)
  } catch {
    return text
  }
  return text
}

function parseYaml(text: string): Json {
  const documents = parseAllDocuments(text, { lineCounter: new LineCounter(), logLevel: 'silent' })
  const values = ('length' in documents ? [...documents] : []).map((document) => {
    if (document.errors.length > 0) throw new Error('no YAML')
    // Dates and the like become text, as in JSON. Aliases are bounded by the parser.
    return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 }) ?? null)) as Json
  })
  const [first, ...more] = values.filter((value) => value !== null)
  if (first === undefined) return null
  return more.length === 0 ? first : [first, ...more]
}

export interface OwnerRule {
  readonly pattern: string
  readonly owners: readonly string[]
}

/** The rules of a CODEOWNERS file, in its order: the last one that fits a path counts. */
export function parseOwners(text: string): readonly OwnerRule[] {
  return text.split('\n').flatMap((line) => {
    const words = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/)
    const [pattern = '', ...owners] = words
    return pattern === '' || /^\[|^\^\[/.test(pattern) ? [] : [{ pattern, owners }]
  })
}

export const isCodeowners = (path: string): boolean => /^(\.github\/|docs\/)?CODEOWNERS$/.test(path)
