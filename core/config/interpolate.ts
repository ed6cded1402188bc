import { didYouMean, type Report, type TextRange } from '../mapping/diagnostic.ts'
import type { YamlNode, YamlScalar } from '../mapping/yaml.ts'

export interface Lookups {
  /** Environment and `.env`; an empty value counts as set. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Text of a file whose path is relative to the configuration file. Throws as fs does. */
  readFile(path: string): string
}

/** `${env:NAME}`, `${file:./path}`, anything else in `${}`, and `$${` for a literal `${`. */
const pattern = /\$\$\{|\$\{([^}]*)\}?/g

/** The same tree with every interpolation in its texts replaced. What is missing is reported at the line that wants it. */
export function interpolate(report: Report, node: YamlNode, lookups: Lookups): YamlNode {
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => interpolate(report, item, lookups)) }
  if (node.kind === 'map') {
    const entries = node.entries.map((entry) => ({ ...entry, value: interpolate(report, entry.value, lookups) }))
    return { ...node, entries }
  }
  if (typeof node.value !== 'string' || !node.value.includes('${')) return node
  const text = node.value.replace(pattern, (whole, inside: string | undefined) => {
    if (inside === undefined) return '${'
    return replacement(report, node.range, whole, inside, lookups)
  })
  return { ...node, value: text, text }
}

/** Whether a text takes anything from the environment or a file. */
export function isInterpolated(node: YamlScalar): boolean {
  return typeof node.value === 'string' && /(^|[^$])\$\{/.test(node.value)
}

function replacement(report: Report, range: TextRange, whole: string, inside: string, lookups: Lookups): string {
  const colon = inside.indexOf(':')
  const scheme = inside.slice(0, Math.max(colon, 0))
  const name = inside.slice(colon + 1)
  if (whole.endsWith('}') && scheme === 'env' && /^[A-Za-z_]\w*$/.test(name))
    return variable(report, range, name, lookups)
  if (whole.endsWith('}') && scheme === 'file' && name !== '') return file(report, range, name, lookups)
  report.error('interpolation_invalid', range, `${whole} is not understood`, {
    hint: '${env:NAME} is a variable, ${file:./path} the text of a file; write $${ for a literal ${',
  })
  return ''
}

function variable(report: Report, range: TextRange, name: string, { variables }: Lookups): string {
  const value = variables[name]
  if (value !== undefined && value !== '') return value
  const near = didYouMean(
    name,
    Object.keys(variables).filter((known) => known !== name),
  )
  const state = value === undefined ? 'is not set' : 'is set but empty'
  report.error('variable_missing', range, `the environment variable ${name} ${state}`, {
    hint:
      (value === undefined ? near : undefined) ??
      `export ${name}=..., or write ${name}=... into the file .env beside this one`,
  })
  return ''
}

function file(report: Report, range: TextRange, path: string, lookups: Lookups): string {
  try {
    const text = lookups.readFile(path).replace(/\r?\n$/, '')
    if (text !== '') return text
    report.error('file_empty', range, `the file ${path} is empty`)
  } catch (error) {
    report.error('file_unreadable', range, `the file ${path} cannot be read: ${reason(error)}`, {
      hint: 'the path is relative to this configuration file',
    })
  }
  return ''
}

/** What the operating system said, for people. */
export function reason(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'it does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'no permission'
  if (code === 'EISDIR') return 'it is a folder'
  return error instanceof Error ? error.message : String(error)
}
