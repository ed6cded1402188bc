import type { Route } from '../http/route.ts'
import { alertRoutes } from './alerts.ts'
import { appRoutes } from './apps.ts'
import { codeRoutes } from './code.ts'
import { discussionRoutes } from './discussions.ts'
import { graphqlRoutes } from './graphql.ts'
import { hookRoutes } from './hooks.ts'
import { organizationRoutes } from './organizations.ts'
import { repoHookRoutes } from './repoHooks.ts'
import { repositoryRoutes } from './repositories.ts'
import { teamMemberRoutes } from './teamMembers.ts'
import { teamRoutes } from './teams.ts'
import { userRoutes } from './users.ts'
import { workRoutes } from './work.ts'

export const routes: readonly Route[] = [
  ...repositoryRoutes,
  ...teamRoutes,
  ...teamMemberRoutes,
  ...organizationRoutes,
  ...hookRoutes,
  ...repoHookRoutes,
  ...userRoutes,
  ...discussionRoutes,
  ...workRoutes,
  ...codeRoutes,
  ...alertRoutes,
  ...appRoutes,
  ...graphqlRoutes,
]
