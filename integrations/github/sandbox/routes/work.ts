import { z } from 'zod'
import {
  addStatus,
  createDeployment,
  createRelease,
  deleteRelease,
  endRun,
  putEnvironment,
  startRun,
  updateRelease,
} from '../changes/work.ts'
import { paged, pagedIn } from '../http/paging.ts'
import { notFound, unprocessable } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import { deploymentOf, environmentOf, releaseOf, runOf, statusOf, workflowOf } from '../shapes/work.ts'
import type { Repo } from '../state/model.ts'
import type { PartOf, PartType, Workflow } from '../state/parts.ts'
import { readable, writable } from './access.ts'
import { given, read } from './input.ts'

/** The part of this type and id, in this repository. */
function partOf<T extends PartType>(call: Call, repo: Repo, type: T, id: string): PartOf<T> {
  const found = call.app.world.parts(repo.id, type).find((it) => String(it.id) === id)
  if (!found) throw notFound()
  return found
}

const newestFirst = <T extends { readonly id: number }>(parts: readonly T[]): readonly T[] =>
  parts.toSorted((a, b) => b.id - a.id)

const releaseFields = z.object({
  tag_name: z.string().min(1).optional(),
  target_commitish: z.string().optional(),
  name: z.string().optional(),
  body: z.string().optional(),
  draft: z.boolean().optional(),
  prerelease: z.boolean().optional(),
})

const releaseRoutes: readonly Route[] = [
  route('repos/list-releases', 'GET', '/repos/:owner/:repo/releases', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'contents')
    return paged(call, newestFirst(world.parts(repo.id, 'release')), (it) => releaseOf(sites, world, repo, it))
  }),

  route('repos/get-release', 'GET', '/repos/:owner/:repo/releases/:release', (call) => {
    const repo = readable(call, 'contents')
    const release = partOf(call, repo, 'release', call.params.release)
    return reply(200, releaseOf(call.app.sites, call.app.world, repo, release))
  }),

  route('repos/create-release', 'POST', '/repos/:owner/:repo/releases', (call) => {
    const { repo, actor } = writable(call, 'contents')
    const wanted = read(releaseFields.extend({ tag_name: z.string().min(1) }), 'Release', call.body)
    const fields = {
      tag: wanted.tag_name,
      target: wanted.target_commitish ?? repo.defaultBranch,
      name: wanted.name ?? wanted.tag_name,
      body: wanted.body ?? '',
      draft: wanted.draft ?? false,
      prerelease: wanted.prerelease ?? false,
    }
    const release = change(call, actor, (c) => createRelease(c, repo, actor, fields))
    return reply(201, releaseOf(call.app.sites, call.app.world, repo, release))
  }),

  route('repos/update-release', 'PATCH', '/repos/:owner/:repo/releases/:release', (call) => {
    const { repo, actor } = writable(call, 'contents')
    const before = partOf(call, repo, 'release', call.params.release)
    const { tag_name: tag, target_commitish: target, ...rest } = read(releaseFields, 'Release', call.body)
    const release = change(call, actor, (c) => updateRelease(c, repo, before, given({ tag, target, ...rest })))
    return reply(200, releaseOf(call.app.sites, call.app.world, repo, release))
  }),

  route('repos/delete-release', 'DELETE', '/repos/:owner/:repo/releases/:release', (call) => {
    const { repo, actor } = writable(call, 'contents')
    const release = partOf(call, repo, 'release', call.params.release)
    change(call, actor, (c) => deleteRelease(c, repo, release))
    return noContent
  }),
]

/** By id or by the name of its file. */
function workflowOfCall(call: Call<'workflow'>, repo: Repo): Workflow {
  const wanted = call.params.workflow
  const all = call.app.world.parts(repo.id, 'workflow')
  const found = all.find((it) => String(it.id) === wanted || it.path.endsWith(`/${wanted}`))
  if (!found) throw notFound()
  return found
}

const enable = (call: Call<'owner' | 'repo' | 'workflow'>, state: Workflow['state']) => {
  const { repo, actor } = writable(call, 'actions')
  const before = workflowOfCall(call, repo)
  const updatedAt = call.app.world.stamp(before.updatedAt)
  change(call, actor, (c) => c.tx.put('parts', { ...before, state, updatedAt }))
  return noContent
}

const actionRoutes: readonly Route[] = [
  route('actions/list-repo-workflows', 'GET', '/repos/:owner/:repo/actions/workflows', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'actions')
    return pagedIn(call, world.parts(repo.id, 'workflow'), (it) => workflowOf(sites, world, repo, it), 'workflows')
  }),

  route('actions/get-workflow', 'GET', '/repos/:owner/:repo/actions/workflows/:workflow', (call) => {
    const repo = readable(call, 'actions')
    return reply(200, workflowOf(call.app.sites, call.app.world, repo, workflowOfCall(call, repo)))
  }),

  route('actions/disable-workflow', 'PUT', '/repos/:owner/:repo/actions/workflows/:workflow/disable', (call) =>
    enable(call, 'disabled_manually'),
  ),

  route('actions/enable-workflow', 'PUT', '/repos/:owner/:repo/actions/workflows/:workflow/enable', (call) =>
    enable(call, 'active'),
  ),

  // It runs at once, and everything here succeeds.
  route(
    'actions/create-workflow-dispatch',
    'POST',
    '/repos/:owner/:repo/actions/workflows/:workflow/dispatches',
    (call) => {
      const { repo, actor } = writable(call, 'actions')
      const workflow = workflowOfCall(call, repo)
      if (workflow.state !== 'active') throw unprocessable('Workflow is disabled')
      const { ref } = read(z.object({ ref: z.string() }), 'WorkflowRun', call.body)
      change(call, actor, (c) =>
        endRun(c, repo, startRun(c, repo, actor, workflow, 'workflow_dispatch', ref), 'success'),
      )
      return noContent
    },
  ),

  route('actions/list-workflow-runs-for-repo', 'GET', '/repos/:owner/:repo/actions/runs', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'actions')
    const runs = newestFirst(world.parts(repo.id, 'run'))
    return pagedIn(call, runs, (it) => runOf(sites, world, repo, it), 'workflow_runs')
  }),

  route('actions/get-workflow-run', 'GET', '/repos/:owner/:repo/actions/runs/:run', (call) => {
    const repo = readable(call, 'actions')
    return reply(200, runOf(call.app.sites, call.app.world, repo, partOf(call, repo, 'run', call.params.run)))
  }),

  route('actions/delete-workflow-run', 'DELETE', '/repos/:owner/:repo/actions/runs/:run', (call) => {
    const { repo, actor } = writable(call, 'actions')
    const run = partOf(call, repo, 'run', call.params.run)
    change(call, actor, (c) => c.tx.remove('parts', run.id))
    return noContent
  }),
]

const deploymentFields = z.object({
  ref: z.string(),
  environment: z.string().default('production'),
  task: z.string().default('deploy'),
  description: z.string().nullish(),
})

const states = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'] as const

const deploymentRoutes: readonly Route[] = [
  route('repos/get-all-environments', 'GET', '/repos/:owner/:repo/environments', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'actions')
    const all = world.parts(repo.id, 'environment')
    return pagedIn(call, all, (it) => environmentOf(sites, world, repo, it), 'environments')
  }),

  route('repos/get-environment', 'GET', '/repos/:owner/:repo/environments/:environment', (call) => {
    const repo = readable(call, 'actions')
    const found = call.app.world.parts(repo.id, 'environment').find((it) => it.name === call.params.environment)
    if (!found) throw notFound()
    return reply(200, environmentOf(call.app.sites, call.app.world, repo, found))
  }),

  route('repos/create-or-update-environment', 'PUT', '/repos/:owner/:repo/environments/:environment', (call) => {
    const { repo, actor } = writable(call, 'administration')
    const { wait_timer: wait } = read(z.object({ wait_timer: z.int().default(0) }), 'Environment', call.body)
    const made = change(call, actor, (c) => putEnvironment(c, repo, call.params.environment, wait))
    return reply(200, environmentOf(call.app.sites, call.app.world, repo, made))
  }),

  route('repos/delete-an-environment', 'DELETE', '/repos/:owner/:repo/environments/:environment', (call) => {
    const { repo, actor } = writable(call, 'administration')
    const found = call.app.world.parts(repo.id, 'environment').find((it) => it.name === call.params.environment)
    if (!found) throw notFound()
    change(call, actor, (c) => c.tx.remove('parts', found.id))
    return noContent
  }),

  route('repos/list-deployments', 'GET', '/repos/:owner/:repo/deployments', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'deployments')
    return paged(call, newestFirst(world.parts(repo.id, 'deployment')), (it) => deploymentOf(sites, world, repo, it))
  }),

  route('repos/get-deployment', 'GET', '/repos/:owner/:repo/deployments/:deployment', (call) => {
    const repo = readable(call, 'deployments')
    const found = partOf(call, repo, 'deployment', call.params.deployment)
    return reply(200, deploymentOf(call.app.sites, call.app.world, repo, found))
  }),

  route('repos/create-deployment', 'POST', '/repos/:owner/:repo/deployments', (call) => {
    const { repo, actor } = writable(call, 'deployments')
    const { description = null, ...fields } = read(deploymentFields, 'Deployment', call.body)
    const branch = call.app.world.parts(repo.id, 'branch').find((it) => it.name === fields.ref)
    const made = change(call, actor, (c) =>
      createDeployment(c, repo, actor, { ...fields, description, sha: branch?.sha ?? '0'.repeat(40) }),
    )
    return reply(201, deploymentOf(call.app.sites, call.app.world, repo, made))
  }),

  route('repos/delete-deployment', 'DELETE', '/repos/:owner/:repo/deployments/:deployment', (call) => {
    const { repo, actor } = writable(call, 'deployments')
    const found = partOf(call, repo, 'deployment', call.params.deployment)
    change(call, actor, (c) => c.tx.remove('parts', found.id))
    return noContent
  }),

  route('repos/list-deployment-statuses', 'GET', '/repos/:owner/:repo/deployments/:deployment/statuses', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'deployments')
    const found = partOf(call, repo, 'deployment', call.params.deployment)
    return paged(call, found.statuses, (status) => statusOf(sites, world, repo, found, status))
  }),

  route(
    'repos/get-deployment-status',
    'GET',
    '/repos/:owner/:repo/deployments/:deployment/statuses/:status',
    (call) => {
      const { world, sites } = call.app
      const repo = readable(call, 'deployments')
      const deployment = partOf(call, repo, 'deployment', call.params.deployment)
      const found = deployment.statuses.find((it) => String(it.id) === call.params.status)
      if (!found) throw notFound()
      return reply(200, statusOf(sites, world, repo, deployment, found))
    },
  ),

  route('repos/create-deployment-status', 'POST', '/repos/:owner/:repo/deployments/:deployment/statuses', (call) => {
    const { repo, actor } = writable(call, 'deployments')
    const before = partOf(call, repo, 'deployment', call.params.deployment)
    const wanted = z.object({ state: z.enum(states), description: z.string().default('') })
    const fields = read(wanted, 'DeploymentStatus', call.body)
    const { deployment, status } = change(call, actor, (c) => addStatus(c, repo, before, actor, fields))
    return reply(201, statusOf(call.app.sites, call.app.world, repo, deployment, status))
  }),
]

export const workRoutes: readonly Route[] = [...releaseRoutes, ...actionRoutes, ...deploymentRoutes]
