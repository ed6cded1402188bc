// What belongs to a repository: rows of one table, told apart by `type`. Times as in model.ts.

interface Base {
  readonly id: number
  readonly repoId: number
  readonly createdAt: string
  readonly updatedAt: string
}

interface Discussed extends Base {
  /** Issues and pull requests of a repository are numbered together. */
  readonly number: number
  readonly title: string
  readonly body: string | null
  readonly state: 'open' | 'closed'
  readonly userId: number
  readonly assignees: readonly number[]
  readonly labels: readonly string[]
  readonly closedAt: string | null
}

export interface Pull extends Discussed {
  readonly type: 'pull'
  readonly draft: boolean
  readonly head: string
  readonly base: string
  readonly sha: string
  readonly reviewers: readonly number[]
  readonly mergedAt: string | null
}

export interface Issue extends Discussed {
  readonly type: 'issue'
  readonly reason: 'completed' | 'reopened' | 'not_planned' | 'duplicate' | null
}

export interface Release extends Base {
  readonly type: 'release'
  readonly tag: string
  readonly target: string
  readonly name: string
  readonly body: string
  readonly draft: boolean
  readonly prerelease: boolean
  readonly authorId: number
  readonly publishedAt: string | null
}

/** A branch or a tag. Neither has an id on GitHub; this one is not shown. */
export interface Ref extends Base {
  readonly type: 'branch' | 'tag'
  readonly name: string
  readonly sha: string
  readonly protected: boolean
}

export interface Workflow extends Base {
  readonly type: 'workflow'
  readonly name: string
  readonly path: string
  readonly state: 'active' | 'disabled_manually'
}

export interface Run extends Base {
  readonly type: 'run'
  readonly workflowId: number
  readonly number: number
  readonly event: string
  readonly status: 'queued' | 'in_progress' | 'completed'
  readonly conclusion: 'success' | 'failure' | 'cancelled' | null
  readonly branch: string
  readonly sha: string
  readonly actorId: number
}

export interface Environment extends Base {
  readonly type: 'environment'
  readonly name: string
  /** Minutes that a deployment waits; 0: no rule. */
  readonly wait: number
}

export interface DeploymentStatus {
  readonly id: number
  readonly state: 'error' | 'failure' | 'inactive' | 'pending' | 'success' | 'queued' | 'in_progress'
  readonly description: string
  readonly creatorId: number
  readonly at: string
}

export interface Deployment extends Base {
  readonly type: 'deployment'
  readonly environment: string
  readonly ref: string
  readonly sha: string
  readonly task: string
  readonly description: string | null
  readonly creatorId: number
  readonly statuses: readonly DeploymentStatus[]
}

interface Alert extends Base {
  readonly number: number
  readonly closedAt: string | null
  readonly closedBy: number | null
  readonly comment: string | null
}

export type Severity = 'low' | 'medium' | 'high' | 'critical'

export interface DependabotAlert extends Alert {
  readonly type: 'dependabot'
  readonly state: 'open' | 'dismissed' | 'fixed' | 'auto_dismissed'
  readonly reason: 'fix_started' | 'inaccurate' | 'no_bandwidth' | 'not_used' | 'tolerable_risk' | null
  readonly ecosystem: string
  readonly package: string
  readonly manifest: string
  readonly severity: Severity
  readonly ghsa: string
  readonly summary: string
}

export interface CodeAlert extends Alert {
  readonly type: 'code'
  readonly state: 'open' | 'dismissed' | 'fixed'
  readonly reason: 'false positive' | "won't fix" | 'used in tests' | null
  readonly rule: string
  readonly description: string
  readonly severity: Severity
  readonly path: string
  readonly ref: string
}

export interface SecretAlert extends Alert {
  readonly type: 'secret'
  readonly state: 'open' | 'resolved'
  readonly reason: 'false_positive' | 'wont_fix' | 'revoked' | 'used_in_tests' | null
  readonly secretType: string
  readonly displayName: string
}

/** A file of the default branch; the other branches hold the same. */
export interface File extends Base {
  readonly type: 'file'
  readonly path: string
  readonly content: string
  /** Of the content, as Git computes it. */
  readonly sha: string
}

export type Part =
  | Pull
  | Issue
  | Release
  | Ref
  | Workflow
  | Run
  | Environment
  | Deployment
  | DependabotAlert
  | CodeAlert
  | SecretAlert
  | File

export type PartType = Part['type']
export type PartOf<T extends PartType> = T extends Ref['type'] ? Ref : Extract<Part, { readonly type: T }>
