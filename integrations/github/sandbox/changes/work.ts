// Releases, environments, deployments and workflow runs, with the events GitHub sends for them.
import { deploymentOf, eventRun, releaseOf, statusOf, workflowFor, workflowOf } from '../shapes/work.ts'
import type { Repo, User } from '../state/model.ts'
import type { Deployment, DeploymentStatus, Environment, Release, Run, Workflow } from '../state/parts.ts'
import { type Change, emit, signedIn } from '../webhooks/emit.ts'

export type ReleaseFields = Pick<Release, 'tag' | 'target' | 'name' | 'body' | 'draft' | 'prerelease'>

export function createRelease(c: Change, repo: Repo, author: User, fields: ReleaseFields): Release {
  const now = c.world.stamp()
  const release: Release = {
    type: 'release',
    id: c.tx.nextId(),
    repoId: repo.id,
    ...fields,
    authorId: author.id,
    publishedAt: fields.draft ? null : now,
    createdAt: now,
    updatedAt: now,
  }
  c.tx.put('parts', release)
  tellRelease(c, repo, release, 'created')
  if (!fields.draft) tellRelease(c, repo, release, 'published')
  return release
}

export function updateRelease(c: Change, repo: Repo, before: Release, fields: Partial<ReleaseFields>): Release {
  const wanted: Release = { ...before, ...fields }
  if (JSON.stringify(wanted) === JSON.stringify(before)) return before
  const updatedAt = c.world.stamp(before.updatedAt)
  const release: Release = {
    ...wanted,
    updatedAt,
    publishedAt: wanted.draft ? null : (before.publishedAt ?? updatedAt),
  }
  c.tx.put('parts', release)
  tellRelease(c, repo, release, before.draft && !release.draft ? 'published' : 'edited')
  return release
}

/** Takes the tag away with it only where a person does so; here the tag stays, as with the API. */
export function deleteRelease(c: Change, repo: Repo, release: Release): void {
  c.tx.remove('parts', release.id)
  tellRelease(c, repo, release, 'deleted')
}

function tellRelease(c: Change, repo: Repo, it: Release, action: 'created' | 'published' | 'edited' | 'deleted'): void {
  const signed = signedIn(c, repo)
  if (!signed) return
  const { org, about } = signed
  const release = releaseOf(c.at, c.world, repo, it)
  if (action === 'published')
    emit(c, org, 'release', { action, release: { ...release, published_at: it.publishedAt ?? it.updatedAt }, ...about })
  else if (action === 'edited') emit(c, org, 'release', { action, changes: {}, release, ...about })
  else emit(c, org, 'release', { action, release, ...about })
}

/** GitHub sends no event for environments. */
export function putEnvironment(c: Change, repo: Repo, name: string, wait: number): Environment {
  const before = c.world.parts(repo.id, 'environment').find((it) => it.name === name)
  const now = c.world.stamp(before?.updatedAt)
  const environment: Environment = {
    type: 'environment',
    id: before?.id ?? c.tx.nextId(),
    repoId: repo.id,
    name,
    wait,
    createdAt: before?.createdAt ?? now,
    updatedAt: before?.wait === wait ? before.updatedAt : now,
  }
  c.tx.put('parts', environment)
  return environment
}

export type NewDeployment = Pick<Deployment, 'environment' | 'ref' | 'sha' | 'task' | 'description'>

export function createDeployment(c: Change, repo: Repo, creator: User, fields: NewDeployment): Deployment {
  const now = c.world.stamp()
  const deployment: Deployment = {
    type: 'deployment',
    id: c.tx.nextId(),
    repoId: repo.id,
    ...fields,
    creatorId: creator.id,
    statuses: [],
    createdAt: now,
    updatedAt: now,
  }
  c.tx.put('parts', deployment)
  if (!c.world.parts(repo.id, 'environment').some((it) => it.name === fields.environment))
    putEnvironment(c, repo, fields.environment, 0)
  const signed = signedIn(c, repo)
  if (signed) {
    const body = deploymentOf(c.at, c.world, repo, deployment)
    const about = { workflow: null, workflow_run: null, ...signed.about }
    emit(c, signed.org, 'deployment', { action: 'created', deployment: body, ...about })
  }
  return deployment
}

export function addStatus(
  c: Change,
  repo: Repo,
  before: Deployment,
  creator: User,
  fields: Pick<DeploymentStatus, 'state' | 'description'>,
): { deployment: Deployment; status: DeploymentStatus } {
  const at = c.world.stamp(before.updatedAt)
  const status: DeploymentStatus = { id: c.tx.nextId(), ...fields, creatorId: creator.id, at }
  const deployment: Deployment = { ...before, statuses: [status, ...before.statuses], updatedAt: at }
  c.tx.put('parts', deployment)
  const signed = signedIn(c, repo)
  const { state } = status
  // The recorded type of the event does not know that a deployment can become inactive; GitHub sends none for it either.
  if (signed && state !== 'inactive') {
    emit(c, signed.org, 'deployment_status', {
      action: 'created',
      deployment_status: { ...statusOf(c.at, c.world, repo, deployment, status), state },
      deployment: deploymentOf(c.at, c.world, repo, deployment),
      ...signed.about,
    })
  }
  return { deployment, status }
}

export function startRun(c: Change, repo: Repo, actor: User, workflow: Workflow, event: string, branch: string): Run {
  const now = c.world.stamp()
  const runs = c.world.parts(repo.id, 'run').filter((run) => run.workflowId === workflow.id)
  const ref = c.world.parts(repo.id, 'branch').find((it) => it.name === branch)
  const run: Run = {
    type: 'run',
    id: c.tx.nextId(),
    repoId: repo.id,
    workflowId: workflow.id,
    number: Math.max(0, ...runs.map((it) => it.number)) + 1,
    event,
    status: 'queued',
    conclusion: null,
    branch,
    sha: ref?.sha ?? '0'.repeat(40),
    actorId: actor.id,
    createdAt: now,
    updatedAt: now,
  }
  c.tx.put('parts', run)
  tellRun(c, repo, run, 'requested')
  return run
}

export function endRun(c: Change, repo: Repo, before: Run, conclusion: NonNullable<Run['conclusion']>): Run {
  const run: Run = { ...before, status: 'completed', conclusion, updatedAt: c.world.stamp(before.updatedAt) }
  c.tx.put('parts', run)
  tellRun(c, repo, run, 'completed')
  return run
}

function tellRun(c: Change, repo: Repo, run: Run, action: 'requested' | 'completed'): void {
  const signed = signedIn(c, repo)
  const known = workflowFor(c.world, run)
  if (!signed || !known) return
  const body = eventRun(c.at, c.world, repo, run)
  const about = { workflow: workflowOf(c.at, c.world, repo, known), ...signed.about }
  if (action === 'requested')
    emit(c, signed.org, 'workflow_run', { action, workflow_run: { ...body, conclusion: null }, ...about })
  else
    emit(c, signed.org, 'workflow_run', {
      action,
      workflow_run: { ...body, conclusion: run.conclusion ?? 'success' },
      ...about,
    })
}
