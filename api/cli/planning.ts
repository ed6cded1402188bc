import type { Command } from 'commander'
import { client, run } from './run.ts'

const json = ['--json', 'for programs', false] as const
const yes = ['--yes', 'do not ask', false] as const
const noWait = ['--no-wait', 'begin and return'] as const

/** `catchment plan | apply | rollback | mapping versions | mapping diff`: changed mappings and blueprints. */
export function registerPlanning(program: Command): void {
  const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value]
  program
    .command('plan')
    .description('what changed mapping and blueprint files would do to the catalog; changes nothing, asks no source')
    .option('--source <source>', 'only this one')
    .option('--mapping <file>', 'try this mapping file instead of the one of the source')
    .option(
      '--blueprint <file>',
      'try these blueprints instead of those of the same names; may be repeated',
      collect,
      [],
    )
    .option('--markdown', 'for a review', false)
    .option('--exit-code', 'exit 4 when something is pending', false)
    .option(...json)
    .action((options: PlanFlags) => run(async () => (await import('./commands/plan.ts')).plan(client(), options)))

  program
    .command('apply [plan]')
    .description('carry out a plan, or everything that is pending; record by record, not all at once')
    .option('--source <source>', 'only this one')
    .option(...yes)
    .option(...noWait)
    .option(...json)
    .action((plan: string | undefined, options: ApplyFlags) =>
      run(async () => (await import('./commands/apply.ts')).apply(client(), plan, options)),
    )

  program
    .command('rollback <source> [version]')
    .description('go back to an older mapping version: the one before, or the one named; its file stays as it is')
    .option(...yes)
    .option(...noWait)
    .option(...json)
    .action((source: string, version: string | undefined, options: ApplyFlags) =>
      run(async () => (await import('./commands/apply.ts')).rollback(client(), source, version, options)),
    )
}

/** Beside the commands for mapping files. */
export function registerVersions(mapping: Command): void {
  mapping
    .command('versions')
    .description('which versions there were, who made them the active ones, and when')
    .option('--source <source>', 'only this one')
    .option('--limit <n>', 'how many, up to 1000', '50')
    .option(...json)
    .action((options: { json: boolean; limit: string; source?: string }) =>
      run(async () => (await import('./commands/versions.ts')).versions(client(), options)),
    )
  mapping
    .command('diff <before> <after>')
    .description('what differs between two versions')
    .option(...json)
    .action((before: string, after: string, options: { json: boolean }) =>
      run(async () => (await import('./commands/versions.ts')).versionDiff(client(), before, after, options)),
    )
}

export interface PlanFlags {
  readonly source?: string
  readonly mapping?: string
  readonly blueprint: readonly string[]
  readonly markdown: boolean
  readonly exitCode: boolean
  readonly json: boolean
}

export interface ApplyFlags {
  readonly source?: string
  readonly yes: boolean
  readonly wait: boolean
  readonly json: boolean
}
