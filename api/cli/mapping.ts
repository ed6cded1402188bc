import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { EvalOptions } from './mapping-eval.ts'
import type { LintOptions } from './mapping-lint.ts'
import type { TestOptions } from './mapping-test.ts'
import { registerVersions } from './planning.ts'

/**
 * `catchment mapping test | eval | lint`: everything a mapping author needs without a server, a source or a database;
 * `versions | diff` ask the server which ones there were.
 * `input` reads standard input to its end.
 */
export function registerMappingCommands(program: Command, input: () => string = () => readFileSync(0, 'utf8')): void {
  const mapping = program.command('mapping').description('write and try mapping files')
  const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value]

  mapping
    .command('test <file>')
    .description('run a mapping file over raw objects and show the entities; exit 1 when anything failed')
    .option('--items <items.json>', 'raw objects: a JSON list, one object, or one per line (default: standard input)')
    .option('--kind <kind>', 'what the objects are (default: the only kind of the file)')
    .option('--blueprints <path>', 'file or folder to check against (default: blueprints beside the file, if any)')
    .option('--variable <NAME=VALUE>', 'what expressions may read as env.NAME; may be repeated', collect, [])
    .option('--trace', 'what each part of each expression gave', false)
    .option('--json', 'for programs', false)
    .action(async (file: string, options: TestOptions) => {
      const { testMapping } = await import('./mapping-test.ts')
      process.exitCode = testMapping(file, options, input)
    })

  mapping
    .command('eval <expression>')
    .description('evaluate an expression over JSON on standard input, with the exit codes of jq')
    .option('-n, --null-input', 'evaluate once over null and read nothing', false)
    .option('-s, --slurp', 'evaluate once over the list of all inputs', false)
    .option('-r, --raw-output', 'print texts without quotes', false)
    .option('-c, --compact-output', 'one line for each output', false)
    .option('-e, --exit-status', 'exit 1 when the last output is false or null, 4 when there is none', false)
    .action(async (expression: string, options: EvalOptions) => {
      const { evalExpression } = await import('./mapping-eval.ts')
      process.exitCode = evalExpression(expression, options, input)
    })

  mapping
    .command('lint <files...>')
    .description('say what is wrong with mapping files; exit 1 on errors')
    .option('--blueprints <path>', 'file or folder to check against (default: blueprints beside the file, if any)')
    .option('--variable <NAME=VALUE>', 'a variable the source declares; may be repeated', collect, [])
    .option('--strict', 'warnings count as errors', false)
    .option('--json', 'for programs', false)
    .action(async (files: string[], options: LintOptions) => {
      const { lintMappings } = await import('./mapping-lint.ts')
      process.exitCode = lintMappings(files, options)
    })

  registerVersions(mapping)
}
