import type { Command } from 'commander'
import type { SearchOptions } from './commands/search.ts'
import { client, run, usage } from './run.ts'

interface Json {
  readonly json: boolean
}

interface Scope extends Json {
  readonly limit: string
  readonly source?: string
  readonly kind?: string
}

const json = ['--json', 'for programs', false] as const
const asOf = ['--as-of <moment>', 'as it was: a time (2026-11-24), a revision or a position of the feed'] as const
const most = ['--limit <n>', 'how many, up to 1000', '50'] as const

/** Commands that ask a running Catchment: what is in the catalog, how true it is, and what needs a person. */
export function registerReading(program: Command): void {
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
    .option(...asOf)
    .option(...json)
    .action((reference: string, options: Json & { asOf?: string }) =>
      run(async () => (await import('./commands/entities.ts')).get(client(), reference, options)),
    )

  program
    .command('search [query...]')
    .description('entities by a line of words and conditions (docs/search.md)')
    .option('--blueprint <blueprint>', 'only these')
    .option('--limit <n>', 'how many; default 50, with --csv all')
    .option('--count', 'only how many there are', false)
    .option('--csv', 'for spreadsheets: a column for each property and relation', false)
    .option(...asOf)
    .option(...json)
    .action((query: string[], options: SearchOptions) =>
      run(async () => (await import('./commands/search.ts')).search(client(), query, options)),
    )

  program
    .command('explain <reference>')
    .description('why an entity is in the catalog, or why it is not')
    .option(...json)
    .action((reference: string, options: Json) =>
      run(async () => (await import('./commands/entities.ts')).explain(client(), reference, options)),
    )

  registerEvidence(program)

  const heldCommand = program
    .command('held')
    .description('what the guard stopped from being taken away')
    .option('--source <source>')
    .option('--kind <kind>')
    .option(...json)
    .action((options: Omit<Scope, 'limit'>) =>
      run(async () => (await import('./commands/held.ts')).held(client(), options)),
    )
  for (const decision of ['approve', 'reject'] as const)
    heldCommand
      .command(`${decision} [ids...]`)
      .description(decision === 'approve' ? 'take them away after all' : 'keep them')
      .option('--all', 'everything pending, of the source or kind if given', false)
      .action((ids: string[], _options: unknown, command: Command) =>
        run(async () => {
          const options = command.optsWithGlobals<Omit<Scope, 'limit'> & { all: boolean }>()
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

/** What the catalog is made of, and what could not be made into it. */
function registerEvidence(program: Command): void {
  program
    .command('scans')
    .description('scans, newest first')
    .option('--source <source>')
    .option('--kind <kind>')
    .option('--partition <partition>')
    .option('--state <state>', 'running, parked, complete, held or incomplete')
    .option(...most)
    .option(...json)
    .action((options: Scope & { partition?: string; state?: string }) =>
      run(async () => (await import('./commands/scans.ts')).scans(client(), options)),
    )
  program
    .command('scan')
    .description('one scan')
    .command('show <id>')
    .description('its pages, calls and quota, what it changed, and why it is incomplete')
    .option(...json)
    .action((id: string, options: Json) =>
      run(async () => (await import('./commands/scans.ts')).scanShow(client(), id, options)),
    )

  program
    .command('quarantine')
    .description('records that a mapping failed on, and objects that could not be read, with why')
    .option('--source <source>')
    .option('--kind <kind>')
    .option(...most)
    .option(...json)
    .action((options: Scope) => run(async () => (await import('./commands/evidence.ts')).quarantine(client(), options)))

  const deliveries = program
    .command('deliveries')
    .description('webhook deliveries, newest first')
    .option('--source <source>')
    .option('--state <state>', 'accepted, applied or dead')
    .option(...most)
    .option(...json)
    .action((options: Omit<Scope, 'kind'> & { state?: string }) =>
      run(async () => (await import('./commands/evidence.ts')).deliveries(client(), options)),
    )
  deliveries
    .command('replay <ids...>')
    .description('try dead ones again')
    .action((ids: string[], _options: unknown, command: Command) =>
      run(async () => (await import('./commands/evidence.ts')).replay(client(), ids, command.optsWithGlobals<Json>())),
    )

  program
    .command('record')
    .description('records: what the sources said last')
    .command('get <source> <kind> <key>')
    .description('one record, with the body that mappings see and what it feeds')
    .option(...json)
    .action((source: string, kind: string, key: string, options: Json) =>
      run(async () => (await import('./commands/evidence.ts')).recordGet(client(), { source, kind, key }, options)),
    )
}
