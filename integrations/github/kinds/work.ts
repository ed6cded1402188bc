import type { components } from '@octokit/openapi-types'
import { BadAnswer, type JsonObject } from '../../../core/sdk/index.ts'
import { numberIn, type ShapeOf, textIn } from '../shape.ts'
import { byName, byNumber, type ChildSpec } from './child.ts'
import { person } from './people.ts'

type Schemas = components['schemas']

export const release: ChildSpec = {
  name: 'release',
  coverage: 'complete',
  paging: 'shifting',
  path: 'releases',
  shape: {
    url: true,
    assets_url: true,
    upload_url: true,
    html_url: true,
    id: true,
    node_id: true,
    tag_name: true,
    target_commitish: true,
    name: true,
    body: true,
    draft: true,
    prerelease: true,
    created_at: true,
    published_at: true,
    author: person,
    assets: [{ id: true, name: true, content_type: true, size: true, browser_download_url: true }],
    tarball_url: true,
    zipball_url: true,
  } satisfies ShapeOf<Schemas['release']>,
  id: byNumber('id', 'release'),
  one: (id) => ({ path: 'releases/{release}', params: { release: id } }),
}

const ref = { name: true, commit: { sha: true, url: true } } as const

export const branch: ChildSpec = {
  name: 'branch',
  coverage: 'complete',
  paging: 'shifting',
  path: 'branches',
  byPush: true,
  shape: {
    ...ref,
    protected: true,
    protection: { enabled: true, required_status_checks: true },
    protection_url: true,
    __is_default_branch: true,
  } satisfies ShapeOf<Schemas['short-branch'] & { __is_default_branch: boolean }>,
  id: byName('name', 'branch'),
  one: (name) => ({ path: 'branches/{branch}', params: { branch: name } }),
  more: (item, home) => ({ __is_default_branch: item['name'] === home.defaultBranch }),
}

export const tag: ChildSpec = {
  name: 'tag',
  coverage: 'complete',
  paging: 'shifting',
  path: 'tags',
  byPush: true,
  shape: { ...ref, zipball_url: true, tarball_url: true, node_id: true } satisfies ShapeOf<Schemas['tag']>,
  id: byName('name', 'tag'),
  // GitHub gives a tag only as a reference, which has another shape.
  one: () => undefined,
  among: true,
}

export const workflow: ChildSpec = {
  name: 'workflow',
  coverage: 'complete',
  paging: 'shifting',
  path: 'actions/workflows',
  wrapped: 'workflows',
  shape: {
    id: true,
    node_id: true,
    name: true,
    path: true,
    state: true,
    created_at: true,
    updated_at: true,
    url: true,
    html_url: true,
    badge_url: true,
  } satisfies ShapeOf<Schemas['workflow']>,
  id: byNumber('id', 'workflow'),
  version: (item) => item['updated_at'],
  one: (id) => ({ path: 'actions/workflows/{workflow}', params: { workflow: id } }),
}

const runRepository = {
  id: true,
  node_id: true,
  name: true,
  full_name: true,
  private: true,
  owner: person,
  html_url: true,
  fork: true,
  url: true,
} as const

const author = { name: true, email: true } as const

export const workflowRun: ChildSpec = {
  name: 'workflow-run',
  // The newest ones: a year of runs would cost more than everything else together.
  coverage: 'window',
  paging: 'shifting',
  path: 'actions/runs',
  wrapped: 'workflow_runs',
  atMost: ({ runs }, pageSize) => Math.ceil(runs.max / pageSize),
  shape: {
    id: true,
    name: true,
    node_id: true,
    head_branch: true,
    head_sha: true,
    path: true,
    display_title: true,
    run_number: true,
    event: true,
    status: true,
    conclusion: true,
    workflow_id: true,
    check_suite_id: true,
    check_suite_node_id: true,
    url: true,
    html_url: true,
    created_at: true,
    updated_at: true,
    actor: person,
    run_attempt: true,
    run_started_at: true,
    triggering_actor: person,
    jobs_url: true,
    logs_url: true,
    check_suite_url: true,
    artifacts_url: true,
    cancel_url: true,
    rerun_url: true,
    previous_attempt_url: true,
    workflow_url: true,
    head_commit: { id: true, tree_id: true, message: true, timestamp: true, author, committer: author },
    repository: runRepository,
    head_repository: runRepository,
  } satisfies ShapeOf<Schemas['workflow-run']>,
  id: byNumber('id', 'workflow run'),
  version: (item) => item['updated_at'],
  one: (id) => ({ path: 'actions/runs/{run}', params: { run: id } }),
}

export const environment: ChildSpec = {
  name: 'environment',
  coverage: 'complete',
  paging: 'shifting',
  path: 'environments',
  wrapped: 'environments',
  shape: {
    id: true,
    node_id: true,
    name: true,
    url: true,
    html_url: true,
    created_at: true,
    updated_at: true,
    can_admins_bypass: true,
    protection_rules: true,
    deployment_branch_policy: true,
  } satisfies ShapeOf<Schemas['environment'] & { can_admins_bypass: boolean }>,
  id: byNumber('id', 'environment'),
  version: (item) => item['updated_at'],
  locator: (item) => ({ name: textIn(item, ['name'], 'environment') }),
  one: (_id, { name }) => (typeof name === 'string' ? { path: 'environments/{name}', params: { name } } : undefined),
  among: true,
}

export const deployment: ChildSpec = {
  name: 'deployment',
  coverage: 'complete',
  paging: 'shifting',
  path: 'deployments',
  shape: {
    url: true,
    id: true,
    node_id: true,
    sha: true,
    ref: true,
    task: true,
    payload: true,
    original_environment: true,
    environment: true,
    description: true,
    creator: person,
    created_at: true,
    updated_at: true,
    statuses_url: true,
    repository_url: true,
    transient_environment: true,
    production_environment: true,
  } satisfies ShapeOf<Schemas['deployment']>,
  id: byNumber('id', 'deployment'),
  version: (item) => item['updated_at'],
  one: (id) => ({ path: 'deployments/{deployment}', params: { deployment: id } }),
}

/** Its deployment is only in its address: .../deployments/DEPLOYMENT. */
function deploymentIn(item: JsonObject): string {
  const id = /\/deployments\/(\d+)$/.exec(textIn(item, ['deployment_url'], 'deployment status'))?.[1]
  if (id === undefined) throw new BadAnswer('deployment status: $.deployment_url: expected the address of a deployment')
  return id
}

export const deploymentStatus: ChildSpec = {
  name: 'deployment-status',
  // Of the newest deployments: each costs a request.
  coverage: 'window',
  paging: 'shifting',
  path: 'deployments',
  atMost: ({ statuses }, pageSize) => Math.ceil(statuses.max / pageSize),
  below: (item) => ({
    path: 'deployments/{deployment}/statuses',
    params: { deployment: numberIn(item, ['id'], 'deployment') },
  }),
  shape: {
    url: true,
    id: true,
    node_id: true,
    state: true,
    creator: person,
    description: true,
    environment: true,
    target_url: true,
    created_at: true,
    updated_at: true,
    deployment_url: true,
    repository_url: true,
    environment_url: true,
    log_url: true,
    __deployment: { id: true },
  } satisfies ShapeOf<Schemas['deployment-status'] & { __deployment: { id: number } }>,
  id: (item) => `${deploymentIn(item)}/${numberIn(item, ['id'], 'deployment status')}`,
  version: (item) => item['updated_at'],
  one: (id) => {
    const [deployment = '', status = ''] = id.split('/')
    return { path: 'deployments/{deployment}/statuses/{status}', params: { deployment, status } }
  },
  selects: (item, { environment }) => typeof environment !== 'string' || item['environment'] === environment,
  more: (item) => ({ __deployment: { id: Number(deploymentIn(item)) } }),
}

export const collaborator: ChildSpec = {
  name: 'collaborator',
  coverage: 'complete',
  paging: 'shifting',
  path: 'collaborators',
  shape: { ...person, permissions: true, role_name: true } satisfies ShapeOf<Schemas['collaborator']>,
  id: (item) => numberIn(item, ['id'], 'collaborator'),
  one: () => undefined,
  among: true,
}
