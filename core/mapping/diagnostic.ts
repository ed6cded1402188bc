import type { SourceText } from './source.ts'

/** One finding about a file a person wrote. Lines and columns count from 1, columns in UTF-16 units, the end is exclusive. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  /** Stable, snake_case, listed in docs/mapping.md and docs/configuration.md. */
  readonly code: string
  readonly message: string
  /** What to do about it. */
  readonly hint?: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine?: number
  readonly endColumn?: number
  /** The expression it is about, as written. */
  readonly expression?: string
}

/** Offsets into the text of a file, in UTF-16 units; the end is exclusive. */
export interface TextRange {
  readonly start: number
  readonly end: number
}

export interface Extra {
  readonly hint?: string | undefined
  readonly expression?: string | undefined
}

/** Collects everything that is wrong with one file, so that it is all reported at once. */
export class Report {
  readonly source: SourceText
  readonly diagnostics: Diagnostic[] = []

  constructor(source: SourceText) {
    this.source = source
  }

  error(code: string, range: TextRange, message: string, extra: Extra = {}): void {
    this.diagnostics.push(diagnostic('error', this.source, code, range, message, extra))
  }

  /** Is there an error that begins at this place already? */
  hasError({ start }: TextRange): boolean {
    const { line, column } = this.source.position(start)
    return this.diagnostics.some(
      (known) => known.severity === 'error' && known.line === line && known.column === column,
    )
  }

  warning(code: string, range: TextRange, message: string, extra: Extra = {}): void {
    this.diagnostics.push(diagnostic('warning', this.source, code, range, message, extra))
  }
}

function diagnostic(
  severity: Diagnostic['severity'],
  source: SourceText,
  code: string,
  range: TextRange,
  message: string,
  extra: Extra,
): Diagnostic {
  const start = source.position(range.start)
  const end = source.position(Math.max(range.start, range.end))
  return {
    severity,
    code,
    message,
    ...(extra.hint === undefined ? {} : { hint: extra.hint }),
    file: source.file,
    ...start,
    endLine: end.line,
    endColumn: end.column,
    ...(extra.expression === undefined ? {} : { expression: extra.expression }),
  }
}

/** In reading order, errors before warnings on the same place. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      a.line - b.line ||
      a.column - b.column ||
      (a.severity < b.severity ? -1 : a.severity > b.severity ? 1 : 0),
  )
}

/** The known name that a wrong one was probably meant to be. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** "did you mean ...?", or undefined when nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const found = nearest(name, known)
  return found === undefined ? undefined : `did you mean "${found}"?`
}

/** Insertions, deletions, replacements and swaps of neighbours. Gives up (Infinity) where lengths alone exceed `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length] ?? 0
}
