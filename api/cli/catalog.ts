import type { Command } from 'commander'
import type { PutOptions } from './commands/put.ts'
import { client, run } from './run.ts'

/** `catchment put`: what people write into the catalog. */
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
}
