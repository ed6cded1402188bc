import type { Command } from 'commander'

/** `catchment init | check`: what a team runs before its first start, and when a credential is in doubt. */
export function registerFirstContact(program: Command): void {
  const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value]
  program
    .command('init')
    .description('make a first catchment.yaml; starts nothing, overwrites nothing')
    .command('github')
    .description('say who the token is, what it sees and misses and what a first scan costs, and write the file')
    .option('--org <login>', 'an organisation to read; may be repeated (default: all that the token sees)', collect, [])
    .option('--token-env <name>', 'the variable that holds the token', 'GITHUB_TOKEN')
    .option('--app-id <id>', 'a GitHub App in place of a token (default: GITHUB_APP_ID, where no token is set)')
    .option('--app-key <file>', 'the file of its private key (default: GITHUB_APP_PRIVATE_KEY_PATH)')
    .option('--base-url <url>', 'GitHub Enterprise: https://HOST/api/v3')
    .option('--output <file>', 'where to write', 'catchment.yaml')
    .option('--force', 'replace the file if there is one', false)
    .option('--json', 'for programs', false)
    .action(
      async (options: {
        org: readonly string[]
        tokenEnv: string
        appId?: string
        appKey?: string
        baseUrl?: string
        output: string
        force: boolean
        json: boolean
      }) => {
        const { initGithub } = await import('./commands/init.ts')
        const { registry } = await import('../../integrations/registry.ts')
        process.exitCode = await initGithub({ ...options, integrations: registry, environment: process.env })
      },
    )

  program
    .command('check')
    .description(
      'ask every configured source who its credential is, what it misses and what a scan costs; exit 3 when something is missing',
    )
    .option('--config <file>', 'configuration file (default: CATCHMENT_CONFIG, then catchment.yaml)')
    .option('--json', 'for programs', false)
    .action(async (options: { config?: string; json: boolean }) => {
      const { check } = await import('./commands/check.ts')
      const { loadConfig } = await import('../../core/config/index.ts')
      const { registry } = await import('../../integrations/registry.ts')
      const config = loadConfig({
        integrations: registry,
        ...(options.config === undefined ? {} : { file: options.config }),
      })
      process.exitCode = await check({ config, integrations: registry, environment: process.env, json: options.json })
    })
}
