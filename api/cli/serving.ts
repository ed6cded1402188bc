import type { Command } from 'commander'
import { print, printJson } from './output.ts'
import { run, usage } from './run.ts'

/** `catchment start | config | key`: what runs on this machine and its configuration. */
export function registerServing(program: Command): void {
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
      run(async () => {
        const { life, repos } = options
        if (!/^\d+(\.\d+)?$/.test(life)) throw usage(`--life wants a number of seconds, not ${JSON.stringify(life)}.`)
        if (!/^\d{1,6}$/.test(repos)) throw usage(`--repos wants a number, not ${JSON.stringify(repos)}.`)
        const { loadConfig, registry } = await configuration()
        const reload = () =>
          loadConfig({ integrations: registry, ...(options.config === undefined ? {} : { file: options.config }) })
        const config = reload()
        for (const warning of config.warnings)
          process.stderr.write(`warning: ${warning.file}:${warning.line}:${warning.column}: ${warning.message}\n`)
        const { start } = await import('./start/start.ts')
        return start({
          config,
          reload,
          integrations: registry,
          apply: options.apply,
          life: Number(options.life),
          repos: Number(options.repos),
          environment: process.env,
        })
      }),
    )

  const configCommand = program.command('config').description('the configuration file')
  configCommand
    .command('check [file]')
    .description('say everything that is wrong with it; starts nothing')
    .action((file: string | undefined) =>
      run(async () => {
        const { loadConfig, registry } = await configuration()
        const { checkKinds } = await import('./start/kinds.ts')
        const config = loadConfig({ integrations: registry, ...(file === undefined ? {} : { file }) })
        checkKinds(config, registry)
        for (const warning of config.warnings)
          print(`warning: ${warning.file}:${warning.line}:${warning.column}: ${warning.message}`)
        const { describeWarnings, findingsOf, MappingFileError } = await import('./start/files.ts')
        const findings = findingsOf(config.sources, registry)
        for (const line of describeWarnings(findings)) print(line)
        if (findings.some(({ severity }) => severity === 'error')) throw new MappingFileError(findings)
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
        const { configJsonSchema, registry } = await configuration()
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
        const { loadClientConfig } = await import('../../core/config/client.ts')
        const { newSecret } = await import('./start/secrets.ts')
        const config = loadClientConfig()
        if (config.adminKey !== undefined)
          throw usage('CATCHMENT_ADMIN_KEY sets the key.', 'Change it there and start again.')
        newSecret(config.data, 'admin-key')
        print('There is a new admin key in .catchment/admin-key. It counts from the next start on.')
        return 0
      }),
    )
}

/** Reading a configuration takes every integration there is. */
async function configuration() {
  const [{ configJsonSchema, loadConfig }, { registry }] = await Promise.all([
    import('../../core/config/index.ts'),
    import('../../integrations/registry.ts'),
  ])
  return { configJsonSchema, loadConfig, registry }
}
