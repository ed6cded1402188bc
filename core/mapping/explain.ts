import type { Diagnostic } from './diagnostic.ts'
import type { SourceText } from './source.ts'

const widest = 140

/**
 * A diagnostic the way compilers print one: place, message, the line with a caret below, and what to do. Values of
 * settings that look like secrets are starred out of the line.
 */
export function explainDiagnostic(diagnostic: Diagnostic, source?: SourceText): string {
  const { severity, code, message, hint, file, line, column } = diagnostic
  const lines = [`${file}:${line}:${column}: ${severity}: ${message} [${code}]`]
  const text = source?.line(line)
  const gutter = ' '.repeat(String(line).length)
  if (text !== undefined && text.trim() !== '') {
    const end = diagnostic.endLine === line ? (diagnostic.endColumn ?? column + 1) : text.length + 1
    const from = Math.max(0, Math.min(column - 41, text.length - widest))
    const shown = starSecrets(text)
      .slice(from, from + widest)
      .replaceAll('\t', ' ')
    const length = Math.max(1, Math.min(end - column, shown.length - (column - 1 - from)))
    lines.push(`  ${line} | ${shown}`, `  ${gutter} | ${' '.repeat(column - 1 - from)}${'^'.repeat(length)}`)
  }
  if (hint !== undefined) lines.push(`  ${gutter} = hint: ${hint}`)
  return lines.join('\n')
}

/** Several, and a last line that counts them. */
export function explainDiagnostics(
  diagnostics: readonly Diagnostic[],
  sourceOf: (file: string) => SourceText | undefined,
): string {
  const texts = diagnostics.map((diagnostic) => explainDiagnostic(diagnostic, sourceOf(diagnostic.file)))
  return [...texts, countDiagnostics(diagnostics)].join('\n\n')
}

export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  const warnings = diagnostics.length - errors
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`
  if (errors > 0 && warnings > 0) return `${count(errors, 'error')}, ${count(warnings, 'warning')}`
  return errors > 0 || warnings === 0 ? count(errors, 'error') : count(warnings, 'warning')
}

const setting =
  /((?:token|secret|passw(?:or)?d|credential|api_?key|private_?key|access_?key)\w*["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^\s,}]+)/gi
const login = /(:\/\/[^:/@\s]*:)([^@\s]+)(?=@)/g

/** Stars of the same length, so that carets still point at their place. An interpolation is no secret. */
function starSecrets(line: string): string {
  const star = (whole: string, name: string, value: string): string =>
    value.includes('${') ? whole : name + '*'.repeat(value.length)
  return line.replace(setting, star).replace(login, star)
}
