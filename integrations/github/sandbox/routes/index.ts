import type { Route } from '../http/route.ts'
import { hookRoutes } from './hooks.ts'
import { organizationRoutes } from './organizations.ts'
import { repositoryRoutes } from './repositories.ts'
import { teamMemberRoutes } from './teamMembers.ts'
import { teamRoutes } from './teams.ts'
import { userRoutes } from './users.ts'

export const routes: readonly Route[] = [
  ...repositoryRoutes,
  ...teamRoutes,
  ...teamMemberRoutes,
  ...organizationRoutes,
  ...hookRoutes,
  ...userRoutes,
]
