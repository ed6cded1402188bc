import type { Command } from 'commander'
import type { ChangesOptions } from './commands/changes.ts'
import { client, run } from './run.ts'

interface Json {
  readonly json: boolean
}

/** Commands about what was, and what happens: versions, differences, the change feed. */
export function registerHistory(program: Command): void {
  const json = ['--json', 'for programs', false] as const

  program
    .command('history <reference>')
    .description('the versions of an entity, newest first, and what made each; also of one that is deleted or renamed')
    .option('--limit <n>', 'how many, up to 1000', '20')
    .option('--as-of <moment>', 'of what went by the name then: a time, a revision or a position of the feed')
    .option(...json)
    .action((reference: string, options: Json & { limit: string; asOf?: string }) =>
      run(async () => (await import('./commands/history.ts')).history(client(), reference, options)),
    )

  program
    .command('diff <reference>')
    .description('what differs between an entity at two moments; by default what its last change changed')
    .option('--from <moment>', 'a time, a revision or a position of the feed')
    .option('--to <moment>', 'the same; default: now')
    .option(...json)
    .action((reference: string, options: Json & { from?: string; to?: string }) =>
      run(async () => (await import('./commands/history.ts')).diff(client(), reference, options)),
    )

  program
    .command('undo <reference>')
    .description('undo a deletion: the entity is back as it was, and pinned until its source shows it again')
    .option('--reason <text>', 'why, for whoever finds it pinned')
    .option(...json)
    .action((reference: string, options: Json & { reason?: string }) =>
      run(async () => (await import('./commands/pins.ts')).undo(client(), reference, options)),
    )

  program
    .command('unpin <reference>')
    .description('end a pin: what no source shows is deleted')
    .option(...json)
    .action((reference: string, options: Json) =>
      run(async () => (await import('./commands/pins.ts')).unpin(client(), reference, options)),
    )

  program
    .command('pins')
    .description('what people keep although no source shows it: deletions that were undone')
    .option('--limit <n>', 'how many, up to 1000', '50')
    .option(...json)
    .action((options: Json & { limit: string }) =>
      run(async () => (await import('./commands/pins.ts')).pins(client(), options)),
    )

  program
    .command('changes')
    .description('what happened to entities, in order; --follow goes on until it is ended')
    .option('--follow', 'wait for what happens next', false)
    .option('--after <position>', 'start, now or a position; default: start, with --follow now')
    .option('--blueprint <blueprints>', 'only these, with commas between')
    .option('--operation <operations>', 'only these: created, updated, renamed, deleted, restored')
    .option('--limit <n>', 'how many at a time, up to 1000', '100')
    .option('--json', 'a line of JSON for each', false)
    .action((options: ChangesOptions) =>
      run(async () => (await import('./commands/changes.ts')).changes(client(), options)),
    )
}
