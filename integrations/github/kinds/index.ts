import type { Kind } from '../../../core/sdk/index.ts'
import type { Scope } from '../scope.ts'
import { alertKind, alertSpecs } from './alerts.ts'
import { type ChildParts, type ChildSpec, childKind } from './child.ts'
import { codeownersKind } from './codeowners.ts'
import { issueKind, pullRequest } from './discussions.ts'
import { fileSpec, folderSpec, treeKind } from './files.ts'
import { organizationKind } from './organization.ts'
import { repositoryKind } from './repository.ts'
import { teamKind } from './team.ts'
import { teamAccessKind } from './team-access.ts'
import { userKind } from './user.ts'
import {
  branch,
  collaborator,
  deployment,
  deploymentStatus,
  environment,
  release,
  tag,
  workflow,
  workflowRun,
} from './work.ts'

/** What is listed repository by repository: a request for each of them, and one more for each further page. */
export const childSpecs: readonly ChildSpec[] = [
  pullRequest,
  issueKind,
  release,
  branch,
  tag,
  workflow,
  workflowRun,
  environment,
  deployment,
  deploymentStatus,
  collaborator,
]

/** Scanned where nobody says otherwise: a request for a hundred objects, or a query for fifty repositories. */
export const defaultKinds: readonly string[] = ['organization', 'repository', 'team', 'user', 'codeowners']

/** How the mapping files of another catalog product call the same. */
export const aliases: Readonly<Record<string, string>> = {
  'code-scanning-alerts': 'code-scanning-alert',
  'dependabot-alerts': 'dependabot-alert',
  'secret-scanning-alerts': 'secret-scanning-alert',
}

/** Every kind there is. Alerts are listed for an organisation as a whole, files by the tree of a branch. */
export function allKinds(parts: ChildParts, scope: Scope): readonly Kind[] {
  const { config, client } = parts
  return [
    organizationKind(client, scope),
    repositoryKind(parts, scope),
    teamKind(config, client, scope),
    userKind(config, client, scope),
    teamAccessKind(config, client, scope),
    codeownersKind(parts, scope),
    ...childSpecs.map((spec) => childKind(spec, parts)),
    treeKind(fileSpec, parts),
    treeKind(folderSpec, parts),
    ...alertSpecs.map((spec) => alertKind(spec, parts, scope)),
  ]
}
