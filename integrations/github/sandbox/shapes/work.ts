// Releases, branches, workflows, environments and deployments.
import type { Repo } from '../state/model.ts'
import type { Deployment, DeploymentStatus, Environment, Ref, Release, Run, Workflow } from '../state/parts.ts'
import type { World } from '../state/world.ts'
import { eventOwner, eventUser } from './accounts.ts'
import { nodeId, type Schemas, type Sites } from './api.ts'
import { personOf } from './discussion.ts'
import { repoLinks } from './repoLinks.ts'
import { minimalRepository } from './repository.ts'

export const fullName = (world: World, repo: Repo): string => `${world.owner(repo).row.login}/${repo.name}`

const urlOf = (at: Sites, world: World, repo: Repo): string => `${at.api}/repos/${fullName(world, repo)}`
const webOf = (at: Sites, world: World, repo: Repo): string => `${at.web}/${fullName(world, repo)}`

export function releaseOf(at: Sites, world: World, repo: Repo, it: Release) {
  const url = `${urlOf(at, world, repo)}/releases/${it.id}`
  const web = webOf(at, world, repo)
  return {
    url,
    assets_url: `${url}/assets`,
    upload_url: `${url}/assets{?name,label}`,
    html_url: `${web}/releases/tag/${encodeURIComponent(it.tag)}`,
    id: it.id,
    author: eventUser(at, personOf(world, it.authorId)),
    node_id: nodeId('RE', repo.id, it.id),
    tag_name: it.tag,
    target_commitish: it.target,
    name: it.name,
    draft: it.draft,
    prerelease: it.prerelease,
    created_at: it.createdAt,
    published_at: it.publishedAt,
    assets: [],
    tarball_url: `${urlOf(at, world, repo)}/tarball/${it.tag}`,
    zipball_url: `${urlOf(at, world, repo)}/zipball/${it.tag}`,
    body: it.body,
  }
}

export function listedBranch(at: Sites, world: World, repo: Repo, it: Ref): Schemas['short-branch'] {
  const url = urlOf(at, world, repo)
  return {
    name: it.name,
    commit: { sha: it.sha, url: `${url}/commits/${it.sha}` },
    protected: it.protected,
    protection: {
      enabled: it.protected,
      required_status_checks: { enforcement_level: it.protected ? 'everyone' : 'off', contexts: [], checks: [] },
    },
    protection_url: `${url}/branches/${it.name}/protection`,
  }
}

export function fullBranch(at: Sites, world: World, repo: Repo, it: Ref): Schemas['branch-with-protection'] {
  const listed = listedBranch(at, world, repo, it)
  const url = urlOf(at, world, repo)
  const web = webOf(at, world, repo)
  const commit = `${url}/commits/${it.sha}`
  return {
    ...listed,
    commit: {
      url: commit,
      sha: it.sha,
      node_id: nodeId('REF', repo.id, it.id),
      html_url: `${web}/commit/${it.sha}`,
      comments_url: `${commit}/comments`,
      commit: {
        url: `${url}/git/commits/${it.sha}`,
        author: { name: 'Acme', email: 'acme@acme.example', date: it.updatedAt },
        committer: { name: 'Acme', email: 'acme@acme.example', date: it.updatedAt },
        message: 'work',
        comment_count: 0,
        tree: { sha: it.sha, url: `${url}/git/trees/${it.sha}` },
      },
      author: null,
      committer: null,
      parents: [],
    },
    _links: { html: `${web}/tree/${it.name}`, self: `${url}/branches/${it.name}` },
    protection: listed.protection ?? {},
    protection_url: `${url}/branches/${it.name}/protection`,
  }
}

export function tagOf(at: Sites, world: World, repo: Repo, it: Ref): Schemas['tag'] {
  const url = urlOf(at, world, repo)
  return {
    name: it.name,
    commit: { sha: it.sha, url: `${url}/commits/${it.sha}` },
    zipball_url: `${url}/zipball/refs/tags/${it.name}`,
    tarball_url: `${url}/tarball/refs/tags/${it.name}`,
    node_id: nodeId('REF', repo.id, it.id),
  }
}

export const workflowOf = (at: Sites, world: World, repo: Repo, it: Workflow) => ({
  id: it.id,
  node_id: nodeId('W', repo.id, it.id),
  name: it.name,
  path: it.path,
  state: it.state,
  created_at: it.createdAt,
  updated_at: it.updatedAt,
  url: `${urlOf(at, world, repo)}/actions/workflows/${it.id}`,
  html_url: `${webOf(at, world, repo)}/blob/${repo.defaultBranch}/${it.path}`,
  badge_url: `${webOf(at, world, repo)}/workflows/${encodeURIComponent(it.name)}/badge.svg`,
})

/** What the repository of a run is in a webhook: fewer fields than in any listing. */
function liteRepository(at: Sites, world: World, repo: Repo) {
  const owner = world.owner(repo)
  const full = fullName(world, repo)
  const { git_url: _g, ssh_url: _s, clone_url: _c, svn_url: _v, ...links } = repoLinks(at, full)
  return {
    id: repo.id,
    node_id: nodeId('R', repo.id),
    name: repo.name,
    full_name: full,
    private: repo.visibility !== 'public',
    owner: eventOwner(at, owner),
    html_url: `${at.web}/${full}`,
    description: repo.description,
    fork: repo.fork,
    ...links,
  }
}

function runBase(at: Sites, world: World, repo: Repo, it: Run, workflow: Workflow | undefined) {
  const url = `${urlOf(at, world, repo)}/actions/runs/${it.id}`
  const name = workflow?.name ?? 'workflow'
  const actor = personOf(world, it.actorId)
  const author = { name: actor.name, email: `${actor.login}@acme.example` }
  return {
    id: it.id,
    name,
    node_id: nodeId('WFR', repo.id, it.id),
    head_branch: it.branch,
    head_sha: it.sha,
    path: workflow?.path ?? '.github/workflows/workflow.yaml',
    display_title: name,
    run_number: it.number,
    event: it.event,
    status: it.status,
    conclusion: it.conclusion,
    workflow_id: it.workflowId,
    check_suite_id: it.id + 1,
    check_suite_node_id: nodeId('WFR', repo.id, it.id + 1),
    url,
    html_url: `${webOf(at, world, repo)}/actions/runs/${it.id}`,
    pull_requests: [],
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    actor: eventUser(at, actor),
    run_attempt: 1,
    referenced_workflows: [],
    run_started_at: it.createdAt,
    triggering_actor: eventUser(at, actor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${urlOf(at, world, repo)}/check-suites/${it.id + 1}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: null,
    workflow_url: `${urlOf(at, world, repo)}/actions/workflows/${it.workflowId}`,
    head_commit: {
      id: it.sha,
      tree_id: it.sha,
      message: 'work',
      timestamp: it.createdAt,
      author,
      committer: author,
    },
  }
}

export function runOf(at: Sites, world: World, repo: Repo, it: Run): Schemas['workflow-run'] {
  const own = minimalRepository(at, world, repo, undefined)
  const base = runBase(at, world, repo, it, workflowFor(world, it))
  return { ...base, repository: own, head_repository: own }
}

export function eventRun(at: Sites, world: World, repo: Repo, it: Run) {
  const own = liteRepository(at, world, repo)
  return { ...runBase(at, world, repo, it, workflowFor(world, it)), repository: own, head_repository: own }
}

export const workflowFor = (world: World, it: Run): Workflow | undefined =>
  world.parts(it.repoId, 'workflow').find((workflow) => workflow.id === it.workflowId)

export const environmentOf = (at: Sites, world: World, repo: Repo, it: Environment): Schemas['environment'] => ({
  id: it.id,
  node_id: nodeId('EN', repo.id, it.id),
  name: it.name,
  url: `${urlOf(at, world, repo)}/environments/${encodeURIComponent(it.name)}`,
  html_url: `${webOf(at, world, repo)}/deployments/activity_log?environments_filter=${encodeURIComponent(it.name)}`,
  created_at: it.createdAt,
  updated_at: it.updatedAt,
  protection_rules:
    it.wait === 0
      ? []
      : [{ id: it.id + 1, node_id: nodeId('EN', repo.id, it.id + 1), type: 'wait_timer', wait_timer: it.wait }],
  deployment_branch_policy: null,
})

export function deploymentOf(at: Sites, world: World, repo: Repo, it: Deployment) {
  const url = `${urlOf(at, world, repo)}/deployments/${it.id}`
  return {
    url,
    id: it.id,
    node_id: nodeId('DE', repo.id, it.id),
    task: it.task,
    original_environment: it.environment,
    environment: it.environment,
    description: it.description,
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    statuses_url: `${url}/statuses`,
    repository_url: urlOf(at, world, repo),
    creator: eventUser(at, personOf(world, it.creatorId)),
    sha: it.sha,
    ref: it.ref,
    payload: {},
    transient_environment: false,
    production_environment: it.environment === 'production',
    performed_via_github_app: null,
  }
}

export function statusOf(at: Sites, world: World, repo: Repo, it: Deployment, status: DeploymentStatus) {
  const deployment = `${urlOf(at, world, repo)}/deployments/${it.id}`
  return {
    url: `${deployment}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId('DES', repo.id, status.id),
    state: status.state,
    creator: eventUser(at, personOf(world, status.creatorId)),
    description: status.description,
    environment: it.environment,
    target_url: '',
    created_at: status.at,
    updated_at: status.at,
    deployment_url: deployment,
    repository_url: urlOf(at, world, repo),
    environment_url: '',
    log_url: '',
    performed_via_github_app: null,
  }
}
