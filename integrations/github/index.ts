import type { Integration } from '../../core/sdk/index.ts'
import { check } from './check.ts'
import { createClient } from './client.ts'
import type { Census } from './forecast.ts'
import { organizationKind } from './kinds/organization.ts'
import { repositoryKind } from './kinds/repository.ts'
import { teamKind } from './kinds/team.ts'
import { teamAccessKind } from './kinds/team-access.ts'
import { userKind } from './kinds/user.ts'
import { type GithubConfig, githubConfig } from './schema.ts'
import { createScope } from './scope.ts'
import { signals, verify } from './webhooks.ts'

const defaultKinds = ['organization', 'repository', 'team', 'user']

/** GitHub and GitHub Enterprise. Partitions are organisations. */
export const github: Integration<GithubConfig> = {
  name: 'github',
  config: githubConfig,
  defaultKinds,
  connect(config, tools) {
    const client = createClient(config, tools)
    const scope = createScope(config, client)
    const counted = new Map<string, Census>()
    return {
      kinds: [
        organizationKind(client, scope),
        repositoryKind(config, client, scope),
        teamKind(config, client, scope),
        userKind(config, client, scope),
        teamAccessKind(config, client, scope),
      ],
      check: (signal) => check(config, client, scope, counted, defaultKinds, signal),
      webhook: { verify, signals: (delivery) => signals(delivery, scope, config.only) },
    }
  },
}
