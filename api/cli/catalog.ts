import type { Command } from 'commander'
import type { CompareOptions } from './commands/compare.ts'
import type { PutOptions } from './commands/put.ts'
import { client, run } from './run.ts'

/** `catchment put`: what people write into the catalog; `compare`: what another catalog says. */
export function registerCatalogCommands(program: Command): void {
  program
    .command('put [reference] [fields...]')
    .description('write fields of an entity, NAME=VALUE (NAME= takes one away), or of all in a file')
    .option('--file <file>', 'JSON or YAML: one item, a list, or { items: [...] }; - reads standard input')
    .option('--title <title>', 'its title')
    .option('--team <team...>', 'its teams')
    .option('--replace', 'what is not named goes, too, if it was written before', false)
    .option('--remove', 'take away everything that was written about it', false)
    .option('--json', 'for programs', false)
    .action((reference: string | undefined, fields: string[], options: PutOptions) =>
      run(async () => (await import('./commands/put.ts')).put(client(), reference, fields, options)),
    )

  program
    .command('compare <export>')
    .description('entities exported from another catalog (Port, Backstage) beside ours; exit 4 when they differ')
    .option('--blueprint <blueprint...>', 'only these; default: those that the export has', [])
    .option('--ignore <field...>', 'fields that are no difference: properties.NAME, relations.NAME, title, team', [])
    .option('--limit <n>', 'how many of each group are listed and explained; default 20, with --json all')
    .option('--json', 'for programs', false)
    .action((file: string, options: CompareOptions) =>
      run(async () => (await import('./commands/compare.ts')).compare(client(), file, options)),
    )
}
