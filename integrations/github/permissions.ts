/** What a kind needs to be read. */
export interface Permission {
  /** Classic scopes, any of which will do; the first is the one to ask for. */
  readonly classic: readonly string[]
  /** As GitHub calls it in its answers, for an App and a fine-grained token. */
  readonly fine: string
  /** As GitHub's pages call it. */
  readonly label: string
}

const org = ['read:org', 'write:org', 'admin:org']
const repo = ['repo']
const alerts = ['security_events', 'repo']

const of = (classic: readonly string[], fine: string, label: string): Permission => ({ classic, fine, label })

/** By kind. docs/connect-github.md and docs/security.md have the same table, which a test compares. */
export const permissions: Readonly<Record<string, Permission>> = {
  organization: of([], 'metadata', 'Metadata: read'),
  repository: of(repo, 'metadata', 'Metadata: read'),
  team: of(org, 'members', 'Members: read'),
  user: of(org, 'members', 'Members: read'),
  'team-access': of(org, 'members', 'Members: read'),
  codeowners: of(repo, 'contents', 'Contents: read'),
  'pull-request': of(repo, 'pull_requests', 'Pull requests: read'),
  issue: of(repo, 'issues', 'Issues: read'),
  release: of(repo, 'contents', 'Contents: read'),
  branch: of(repo, 'contents', 'Contents: read'),
  tag: of(repo, 'contents', 'Contents: read'),
  workflow: of(repo, 'actions', 'Actions: read'),
  'workflow-run': of(repo, 'actions', 'Actions: read'),
  environment: of(repo, 'actions', 'Actions: read'),
  deployment: of(repo, 'deployments', 'Deployments: read'),
  'deployment-status': of(repo, 'deployments', 'Deployments: read'),
  collaborator: of(repo, 'metadata', 'Metadata: read'),
  file: of(repo, 'contents', 'Contents: read'),
  folder: of(repo, 'contents', 'Contents: read'),
  'dependabot-alert': of(alerts, 'vulnerability_alerts', 'Dependabot alerts: read'),
  'code-scanning-alert': of(alerts, 'security_events', 'Code scanning alerts: read'),
  'secret-scanning-alert': of(alerts, 'secret_scanning_alerts', 'Secret scanning alerts: read'),
}
