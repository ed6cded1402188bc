import { explainDiagnostics } from '../../core/mapping/index.ts'
import { loadMapping, type MappingOptions } from './mapping-files.ts'
import { print, printJson } from './output.ts'

export interface LintOptions extends MappingOptions {
  readonly strict: boolean
  readonly json: boolean
}

/** Exit status: 0 nothing to complain about (warnings allowed unless `strict`), 1 otherwise. */
export function lintMappings(files: readonly string[], options: LintOptions): number {
  const loaded = files.map((file) => loadMapping(file, options))
  const diagnostics = loaded.flatMap((file) => file.diagnostics)
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  const warnings = diagnostics.length - errors
  if (options.json) printJson({ diagnostics, errors, warnings })
  else {
    const sources = new Map(loaded.flatMap((file) => [...file.sources]))
    print(
      diagnostics.length === 0
        ? `${files.join(', ')}: nothing to complain about`
        : explainDiagnostics(diagnostics, (name) => sources.get(name)),
    )
  }
  return errors > 0 || (options.strict && warnings > 0) ? 1 : 0
}
