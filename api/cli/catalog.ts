import type { Command } from 'commander'
import type { CompareOptions } from './commands/compare.ts'
import type { PutOptions } from './commands/put.ts'
import type { RelatedOptions } from './commands/related.ts'
import { client, run } from './run.ts'

/** `catchment related`, `dangling`: what leads where; `put`: what people write into the catalog; `compare`: what another catalog says. */
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

  program
    .command('related <reference>')
    .description('what an entity points at and what points at it')
    .option('--depth <n>', 'how many relations may lie between, 1 to 3', '1')
    .option('--direction <direction>', 'out, in or both', 'both')
    .option('--limit <n>', 'how many at most', '100')
    .option('--json', 'for programs', false)
    .action((reference: string, options: RelatedOptions) =>
      run(async () => (await import('./commands/related.ts')).related(client(), reference, options)),
    )

  program
    .command('dangling')
    .description(
      'relations that lead nowhere although they must, and searches for one entity that found none or several',
    )
    .option('--blueprint <blueprint>', 'only of these entities')
    .option('--required', 'only what a blueprint requires', false)
    .option('--limit <n>', 'how many at most', '100')
    .option('--json', 'for programs', false)
    .action(
      (options: {
        readonly json: boolean
        readonly blueprint?: string
        readonly required: boolean
        readonly limit: string
      }) => run(async () => (await import('./commands/related.ts')).dangling(client(), options)),
    )

  program
    .command('conflicts')
    .description('names that several records claim and only one may have (identity: conflict in the blueprint)')
    .option('--json', 'for programs', false)
    .action((options: { readonly json: boolean }) =>
      run(async () => (await import('./commands/related.ts')).conflicts(client(), options)),
    )
}
