import type { Integration } from '../../core/sdk/index.ts'
import { check } from './check.ts'
import { createClient } from './client.ts'
import { createDirectory } from './directory.ts'
import type { Census } from './forecast.ts'
import { createHookKeeper, instructions } from './hooks.ts'
import { aliases, allKinds, defaultKinds } from './kinds/index.ts'
import { type GithubConfig, githubConfig } from './schema.ts'
import { createScope } from './scope.ts'
import { wantsOf } from './wants.ts'
import { signals, verify } from './webhooks.ts'

/** GitHub and GitHub Enterprise. Partitions are organisations, and for what is in a repository that repository. */
export const github: Integration<GithubConfig> = {
  name: 'github',
  config: githubConfig,
  defaultKinds,
  aliases,
  options: ['repositoryType'],
  connect(config, tools) {
    const client = createClient(config, tools)
    const scope = createScope(config, client)
    const wants = wantsOf(tools.asked)
    const now = (): number => tools.now()
    const directory = createDirectory(config, client, scope, { type: wants.repositoryType, now })
    const parts = { config, client, directory, wants, now }
    const extras = wants.includedFiles.length > 0 || wants.repositoryTeams || wants.repositoryCollaborators
    const counted = new Map<string, Census>()
    return {
      kinds: allKinds(parts, scope),
      check: (signal) => check(config, wants, client, scope, counted, defaultKinds, signal),
      webhook: {
        verify,
        signals: (delivery) => signals(delivery, scope, config.only, extras),
        hooks: createHookKeeper(config, client, scope, directory, now),
        instructions: (url) => instructions(config, url),
      },
    }
  },
}
