import { type Diagnostic, sortDiagnostics } from '../mapping/diagnostic.ts'
import { explainDiagnostics } from '../mapping/explain.ts'
import type { SourceText } from '../mapping/source.ts'
import { CatchmentError } from '../sdk/index.ts'

/** The configuration cannot be used. Carries everything that is wrong with it, each with its place and what to do. */
export class ConfigError extends CatchmentError {
  readonly diagnostics: readonly Diagnostic[]
  readonly sources: ReadonlyMap<string, SourceText>

  constructor(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, SourceText>) {
    const sorted = sortDiagnostics(diagnostics)
    const first = sorted.find(({ severity }) => severity === 'error') ?? sorted[0]
    const errors = sorted.filter(({ severity }) => severity === 'error').length
    const where = first === undefined ? '' : `: ${first.file}:${first.line}:${first.column}: ${first.message}`
    super(`the configuration has ${errors} mistake${errors === 1 ? '' : 's'}${where}`, {
      code: 'config_invalid',
      exitCode: 2,
      hint: first?.hint ?? 'correct the file and run again; catchment config check tells whether it is right',
      details: { diagnostics: sorted },
    })
    this.diagnostics = sorted
    this.sources = sources
  }
}

/** Every mistake as a compiler prints it: file:line:column, the line, a caret, a hint. */
export function explainConfigError(error: ConfigError): string {
  return explainDiagnostics(error.diagnostics, (file) => error.sources.get(file))
}
