// Turns a change into waiting deliveries, in the same transaction as the change.
import { randomUUID } from 'node:crypto'
import type {
  CodeScanningAlertEvent,
  CreateEvent,
  DeleteEvent,
  DependabotAlertEvent,
  DeploymentEvent,
  DeploymentStatusEvent,
  IssuesEvent,
  MembershipEvent,
  OrganizationEvent,
  PingEvent,
  PublicEvent,
  PullRequestEvent,
  PushEvent,
  ReleaseEvent,
  RepositoryEvent,
  SecretScanningAlertEvent,
  TeamAddEvent,
  TeamEvent,
  WorkflowRunEvent,
} from '@octokit/webhooks-types'
import { eventUser, simpleOrg } from '../shapes/accounts.ts'
import type { Sites } from '../shapes/api.ts'
import { eventRepository } from '../shapes/repository.ts'
import type { Hook, Org, Repo, User } from '../state/model.ts'
import type { Tx, World } from '../state/world.ts'

export interface Events {
  ping: PingEvent
  repository: RepositoryEvent
  public: PublicEvent
  team: TeamEvent
  team_add: TeamAddEvent
  membership: MembershipEvent
  organization: OrganizationEvent
  push: PushEvent
  create: CreateEvent
  delete: DeleteEvent
  pull_request: PullRequestEvent
  issues: IssuesEvent
  release: ReleaseEvent
  workflow_run: WorkflowRunEvent
  deployment: DeploymentEvent
  deployment_status: DeploymentStatusEvent
  dependabot_alert: DependabotAlertEvent
  code_scanning_alert: CodeScanningAlertEvent
  secret_scanning_alert: SecretScanningAlertEvent
}

/** GitHub keeps three days; this many are three days of a busy sandbox. */
const keptDeliveries = 3000

/** Everything a change needs: what it changes, and who does it. */
export interface Change {
  readonly world: World
  readonly at: Sites
  readonly tx: Tx
  readonly actor: User
}

/** The two members every event of an organisation ends with. */
export const signedBy = (c: Change, org: Org) => ({
  organization: simpleOrg(c.at, org),
  sender: eventUser(c.at, c.actor),
})

/** The same about something in a repository; undefined where nobody is told, because a person owns it. */
export function signedIn(c: Change, repo: Repo) {
  const org = c.world.get('orgs', repo.ownerId)
  return org && { org, about: { repository: eventRepository(c.at, c.world, repo), ...signedBy(c, org) } }
}

export function enqueue(
  c: Pick<Change, 'world' | 'tx'>,
  hook: Hook,
  event: string,
  payload: string,
  about: { action: string | null; repositoryId: number | null; guid?: string },
): number {
  const id = c.tx.nextId()
  c.tx.put('deliveries', {
    id,
    hookId: hook.id,
    guid: about.guid ?? randomUUID(),
    event,
    action: about.action,
    repositoryId: about.repositoryId,
    redelivery: about.guid !== undefined,
    pending: true,
    deliveredAt: c.world.stamp(),
    duration: 0,
    status: 'pending',
    statusCode: 0,
    payload,
    requestHeaders: {},
    responseHeaders: null,
    responsePayload: null,
  })
  while (c.world.size('deliveries') > keptDeliveries) {
    const oldest = c.world.all('deliveries').next().value
    if (oldest) c.tx.remove('deliveries', oldest.id)
  }
  return id
}

export function emit<E extends keyof Events>(c: Change, org: Org, event: E, payload: Events[E]): void {
  const body = JSON.stringify(payload)
  const action = 'action' in payload ? payload.action : null
  const repositoryId = 'repository' in payload && payload.repository ? payload.repository.id : null
  for (const hook of c.world.all('hooks')) {
    if (hook.orgId !== org.id || !hook.active) continue
    if (hook.repoId !== undefined && hook.repoId !== repositoryId) continue
    if (!hook.events.includes('*') && !hook.events.includes(event)) continue
    enqueue(c, hook, event, body, { action, repositoryId })
  }
}
