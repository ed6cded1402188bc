import type { Command } from 'commander'
import { client, run, usage } from './run.ts'

interface Json {
  readonly json: boolean
}

interface Scope extends Json {
  readonly source?: string
  readonly kind?: string
}

/** Commands that ask a running Catchment: what is in the catalog, how true it is, and what needs a person. */
export function registerReading(program: Command): void {
  const json = ['--json', 'for programs', false] as const

  program
    .command('status')
    .description(
      'how fresh every source and kind is, and what needs a person; exit 3 when something is held or unknown',
    )
    .option(...json)
    .action((options: Json) => run(async () => (await import('./commands/status.ts')).status(client(), options)))

  program
    .command('sync [source] [kind]')
    .description('scan now')
    .option('--no-wait', 'ask for the scan and return')
    .option('--timeout <seconds>', 'how long to wait', '600')
    .option(...json)
    .action(
      (
        source: string | undefined,
        kind: string | undefined,
        options: { wait: boolean; timeout: string; json: boolean },
      ) => run(async () => (await import('./commands/sync.ts')).sync(client(), source, kind, options)),
    )

  program
    .command('get <reference>')
    .description('one entity, by blueprint:identifier')
    .option(...json)
    .action((reference: string, options: Json) =>
      run(async () => (await import('./commands/entities.ts')).get(client(), reference, options)),
    )

  program
    .command('search [words...]')
    .description('entities by words of their title, identifier and description')
    .option('--blueprint <blueprint>', 'only these')
    .option('--limit <n>', 'how many, up to 1000', '50')
    .option(...json)
    .action((words: string[], options: { json: boolean; blueprint?: string; limit: string }) =>
      run(async () => (await import('./commands/entities.ts')).search(client(), words, options)),
    )

  program
    .command('explain <reference>')
    .description('why an entity is in the catalog, or why it is not')
    .option(...json)
    .action((reference: string, options: Json) =>
      run(async () => (await import('./commands/entities.ts')).explain(client(), reference, options)),
    )

  const heldCommand = program
    .command('held')
    .description('what the guard stopped from being taken away')
    .option('--source <source>')
    .option('--kind <kind>')
    .option(...json)
    .action((options: Scope) => run(async () => (await import('./commands/held.ts')).held(client(), options)))
  for (const decision of ['approve', 'reject'] as const)
    heldCommand
      .command(`${decision} [ids...]`)
      .description(decision === 'approve' ? 'take them away after all' : 'keep them')
      .option('--all', 'everything pending, of the source or kind if given', false)
      .action((ids: string[], _options: unknown, command: Command) =>
        run(async () => {
          const options = command.optsWithGlobals<Scope & { all: boolean }>()
          if (ids.length === 0 && !options.all)
            throw usage('Which ones? Name ids, or --all.', 'List them with: catchment held')
          const { decide } = await import('./commands/held.ts')
          return decide(client(), decision, ids, options)
        }),
      )

  program
    .command('source')
    .description('sources')
    .command('remove <name>')
    .description('take away a source that is no longer in the configuration, and what only it said')
    .option(...json)
    .action((name: string, options: Json) =>
      run(async () => (await import('./commands/source.ts')).removeSource(client(), name, options)),
    )
}
