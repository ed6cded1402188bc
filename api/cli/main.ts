import { Command, CommanderError } from 'commander'
import { ConfigError, configJsonSchema, explainConfigError, loadConfig } from '../../core/config/index.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import { registry } from '../../integrations/registry.ts'
import { Client } from './client.ts'
import { explain, get, search } from './commands/entities.ts'
import { decide, held } from './commands/held.ts'
import { removeSource } from './commands/source.ts'
import { status } from './commands/status.ts'
import { sync } from './commands/sync.ts'
import { registerFirstContact } from './first-contact.ts'
import { registerMappingCommands } from './mapping.ts'
import { print, printJson, report } from './output.ts'
import { registerPlay } from './play.ts'
import { checkKinds } from './start/kinds.ts'
import { newSecret } from './start/secrets.ts'
import { start } from './start/start.ts'

const program = new Command('catchment')
  .description('One catalog of everything an organisation builds and runs, in step with the tools that own the truth.')
  .showHelpAfterError('(catchment --help lists the commands)')
  .configureHelp({ sortSubcommands: false })
  .exitOverride()

/** The server that read commands talk to: the environment's, or the one running on this data directory. */
function client(): Client {
  const config = loadConfig({ integrations: registry })
  return new Client({
    dataDir: config.data,
    ...(config.url === undefined ? {} : { url: config.url }),
    ...(config.adminKey === undefined ? {} : { key: config.adminKey.reveal() }),
  })
}

function usage(message: string, hint?: string): CatchmentError {
  return new CatchmentError(message, { code: 'usage', exitCode: 2, ...(hint === undefined ? {} : { hint }) })
}

function run(work: () => Promise<number>): Promise<void> {
  return work().then((code) => {
    process.exitCode = code
  })
}

program
  .command('start')
  .description('run Catchment here: database, scans, webhooks, API and first page')
  .option(
    '--config <file>',
    'configuration file (default: CATCHMENT_CONFIG, then catchment.yaml, then the sandbox organisation)',
  )
  .option('--apply', 'apply mapping and blueprint files that changed since the last start', false)
  .option('--life <seconds>', 'pause between two small changes in the sandbox; 0 for none', '20')
  .option('--repos <n>', 'how many repositories the sandbox has at its first start', '60')
  .action((options: { config?: string; apply: boolean; life: string; repos: string }) =>
    run(() => {
      const { life, repos } = options
      if (!/^\d+(\.\d+)?$/.test(life)) throw usage(`--life wants a number of seconds, not ${JSON.stringify(life)}.`)
      if (!/^\d{1,6}$/.test(repos)) throw usage(`--repos wants a number, not ${JSON.stringify(repos)}.`)
      const config = loadConfig({
        integrations: registry,
        ...(options.config === undefined ? {} : { file: options.config }),
      })
      for (const warning of config.warnings)
        process.stderr.write(`warning: ${warning.file}:${warning.line}:${warning.column}: ${warning.message}\n`)
      return start({
        config,
        integrations: registry,
        apply: options.apply,
        life: Number(options.life),
        repos: Number(options.repos),
        environment: process.env,
      })
    }),
  )

program
  .command('status')
  .description('how fresh every source and kind is, and what needs a person; exit 3 when something is held or unknown')
  .option('--json', 'for programs', false)
  .action((options: { json: boolean }) => run(() => status(client(), options)))

program
  .command('sync [source] [kind]')
  .description('scan now')
  .option('--no-wait', 'ask for the scan and return')
  .option('--timeout <seconds>', 'how long to wait', '600')
  .option('--json', 'for programs', false)
  .action(
    (
      source: string | undefined,
      kind: string | undefined,
      options: { wait: boolean; timeout: string; json: boolean },
    ) => run(() => sync(client(), source, kind, options)),
  )

program
  .command('get <reference>')
  .description('one entity, by blueprint:identifier')
  .option('--json', 'for programs', false)
  .action((reference: string, options: { json: boolean }) => run(() => get(client(), reference, options)))

program
  .command('search [words...]')
  .description('entities by words of their title, identifier and description')
  .option('--blueprint <blueprint>', 'only these')
  .option('--limit <n>', 'how many, up to 1000', '50')
  .option('--json', 'for programs', false)
  .action((words: string[], options: { json: boolean; blueprint?: string; limit: string }) =>
    run(() => search(client(), words, options)),
  )

program
  .command('explain <reference>')
  .description('why an entity is in the catalog, or why it is not')
  .option('--json', 'for programs', false)
  .action((reference: string, options: { json: boolean }) => run(() => explain(client(), reference, options)))

const heldCommand = program
  .command('held')
  .description('what the guard stopped from being taken away')
  .option('--source <source>')
  .option('--kind <kind>')
  .option('--json', 'for programs', false)
  .action((options: { json: boolean; source?: string; kind?: string }) => run(() => held(client(), options)))
for (const decision of ['approve', 'reject'] as const)
  heldCommand
    .command(`${decision} [ids...]`)
    .description(decision === 'approve' ? 'take them away after all' : 'keep them')
    .option('--all', 'everything pending, of the source or kind if given', false)
    .action((ids: string[], _options: unknown, command: Command) =>
      run(() => {
        const options = command.optsWithGlobals<{ all: boolean; json: boolean; source?: string; kind?: string }>()
        if (ids.length === 0 && !options.all)
          throw new CatchmentError('Which ones? Name ids, or --all.', {
            code: 'usage',
            hint: 'List them with: catchment held',
            exitCode: 2,
          })
        return decide(client(), decision, ids, options)
      }),
    )

program
  .command('source')
  .description('sources')
  .command('remove <name>')
  .description('take away a source that is no longer in the configuration, and what only it said')
  .option('--json', 'for programs', false)
  .action((name: string, options: { json: boolean }) => run(() => removeSource(client(), name, options)))

const configCommand = program.command('config').description('the configuration file')
configCommand
  .command('check [file]')
  .description('say everything that is wrong with it; starts nothing')
  .action((file: string | undefined) =>
    run(async () => {
      const config = loadConfig({ integrations: registry, ...(file === undefined ? {} : { file }) })
      checkKinds(config, registry)
      for (const warning of config.warnings)
        print(`warning: ${warning.file}:${warning.line}:${warning.column}: ${warning.message}`)
      if (config.file === undefined) print('No catchment.yaml here: npm start runs the sandbox organisation.')
      else
        print(
          `${config.file} is valid: ${config.sources.map((source) => `${source.name} (${source.integration})`).join(', ') || 'no sources'}.`,
        )
      return 0
    }),
  )
configCommand
  .command('schema')
  .description('JSON Schema of catchment.yaml, for editors')
  .action(() =>
    run(async () => {
      printJson(configJsonSchema(registry))
      return 0
    }),
  )

program
  .command('key')
  .description('the admin key')
  .command('reset')
  .description('make a new one; the old one works until the next start')
  .action(() =>
    run(async () => {
      const config = loadConfig({ integrations: registry })
      if (config.adminKey !== undefined)
        throw new CatchmentError('CATCHMENT_ADMIN_KEY sets the key.', {
          code: 'usage',
          hint: 'Change it there and start again.',
          exitCode: 2,
        })
      newSecret(config.data, 'admin-key')
      print('There is a new admin key in .catchment/admin-key. It counts from the next start on.')
      return 0
    }),
  )

registerMappingCommands(program)
registerFirstContact(program)
registerPlay(program, client)

// Whoever closes our output (`| head -1`) has seen enough; that is no reason to end in the middle of something.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof ConfigError) {
    process.stderr.write(`${explainConfigError(error)}\n`)
    process.exitCode = error.exitCode
  } else process.exitCode = report(error)
}
