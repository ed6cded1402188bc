// The routes below /_sandbox: what no person could do through GitHub's API, for tests and for whoever plays with it.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { find } from '../changes/alerts.ts'
import { deleteIssue } from '../changes/discussions.ts'
import { restoreRepo } from '../changes/repositories.ts'
import type { RequestLog } from '../http/requestLog.ts'
import type { App } from '../http/route.ts'
import type { Switchboard } from '../http/server.ts'
import { hashToken } from '../http/viewer.ts'
import type { Life } from '../life/life.ts'
import { Random } from '../seed/random.ts'
import { addRepos, adminLogin } from '../seed/seed.ts'
import type { GithubApp, Token } from '../state/model.ts'
import type { World } from '../state/world.ts'
import type { Change } from '../webhooks/emit.ts'
import type { Sender } from '../webhooks/sender.ts'
import {
  advanceInput,
  appInput,
  faultInput,
  findingInput,
  issueInput,
  lifeInput,
  limitsInput,
  restoreInput,
  seedInput,
  tokenInput,
} from './schema.ts'

export interface Controlled {
  readonly app: App
  readonly log: RequestLog
  readonly sender: Sender
  readonly life: Life
  readonly key: string
}

class Wrong extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

function read<T extends z.ZodType>(schema: T, text: string): z.output<T> {
  let value: unknown
  try {
    value = JSON.parse(text === '' ? '{}' : text)
  } catch {
    throw new Wrong(400, 'the body is not JSON')
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new Wrong(
    422,
    result.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; '),
  )
}

/** Makes a token and stores its hash; the answer is the only place that shows it. */
export function makeToken(
  world: World,
  wanted: z.output<typeof tokenInput>,
  secret?: string,
): { id: number; token: string } {
  const user = world.user(wanted.user ?? adminLogin)
  if (!user) throw new Wrong(422, `user: there is no ${wanted.user}`)
  const prefix = wanted.kind === 'classic' ? 'ghp_' : 'github_pat_'
  const token = secret ?? prefix + randomBytes(18).toString('hex')
  const grants: Record<string, Token['grants'][string]> = {}
  for (const [login, permissions] of Object.entries(wanted.grants)) {
    const org = world.org(login)
    if (!org) throw new Wrong(422, `grants: there is no organisation ${login}`)
    // Every fine-grained token may read metadata; zod's undefined members are left out.
    grants[org.id] = { metadata: 'read', ...JSON.parse(JSON.stringify(permissions)) }
  }
  const expiresAt =
    wanted.expiresIn === undefined
      ? null
      : `${new Date(world.milliseconds + wanted.expiresIn * 1000).toISOString().slice(0, 19)}Z`
  const id = world.transaction((tx) => {
    const row: Token = {
      id: tx.nextId(),
      name: wanted.name,
      kind: wanted.kind,
      hash: hashToken(token),
      userId: user.id,
      scopes: wanted.kind === 'classic' ? wanted.scopes : [],
      grants,
      expiresAt,
      revoked: false,
    }
    tx.put('tokens', row)
    return row.id
  })
  return { id, token }
}

function makeApp({ app }: Controlled, text: string): { id: number; privateKey: string } {
  const { name, installations } = read(appInput, text)
  const { world } = app
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const id = world.transaction((tx) => {
    const made: GithubApp = {
      id: tx.nextId(),
      slug: name,
      publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      createdAt: world.stamp(),
      installations: Object.entries(installations).map(([login, permissions]) => {
        const org = world.org(login)
        if (!org) throw new Wrong(422, `installations: there is no organisation ${login}`)
        // Every App may read metadata; zod's undefined members are left out.
        const granted: Token['grants'][string] = { metadata: 'read', ...JSON.parse(JSON.stringify(permissions)) }
        return { id: tx.nextId(), orgId: org.id, permissions: granted }
      }),
    }
    tx.put('apps', made)
    return made.id
  })
  return { id, privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function summary({ app, log }: Controlled): unknown {
  const { world } = app
  const orgs = [...world.all('orgs')].map((org) => ({
    login: org.login,
    id: org.id,
    repositories: world.reposOf(org.id).length,
    teams: world.teamsOf(org.id).length,
    members: Object.keys(org.members).length,
    hooks: [...world.all('hooks')].filter((hook) => hook.orgId === org.id).length,
  }))
  const deliveries = [...world.all('deliveries')]
  const count = (wanted: (status: number) => boolean): number =>
    deliveries.filter((delivery) => !delivery.pending && wanted(delivery.statusCode)).length
  return {
    seed: world.meta.seed,
    lifeStep: world.meta.lifeStep,
    organizations: orgs,
    users: world.size('users'),
    deleted: [...world.all('repos')]
      .filter((repo) => repo.deletedAt !== null)
      .map(({ id, name, deletedAt }) => ({ id, name, deletedAt })),
    tokens: [...world.all('tokens')].map(({ id, name, kind, revoked }) => ({ id, name, kind, revoked })),
    deliveries: {
      pending: deliveries.filter((delivery) => delivery.pending).length,
      succeeded: count((status) => status < 300),
      failed: count((status) => status >= 300),
    },
    faults: app.faults.list(),
    limits: app.limits.settings,
    requests: log.counts,
  }
}

function restore({ app }: Controlled, text: string): unknown {
  const { world, sites } = app
  const { repositoryId } = read(restoreInput, text)
  const repo = world.get('repos', repositoryId)
  const actor = world.user(adminLogin)
  if (!repo || repo.deletedAt === null || !actor) throw new Wrong(404, 'no deleted repository has this id')
  const { login } = world.owner(repo).row
  if (world.repo(login, repo.name)) throw new Wrong(409, `${login}/${repo.name} exists again: rename it first`)
  world.transaction((tx) => restoreRepo({ world, at: sites, tx, actor }, repo))
  return { id: repo.id, full_name: `${login}/${repo.name}` }
}

function seed({ app }: Controlled, text: string): unknown {
  const { repos, org: login } = read(seedInput, text)
  const org = app.world.org(login)
  if (!org) throw new Wrong(422, `org: there is no organisation ${login}`)
  app.world.transaction((tx) => {
    addRepos(
      tx,
      app.world,
      org,
      app.world.teamsOf(org.id),
      repos,
      new Random(app.world.meta.seed + app.world.meta.nextId),
    )
  })
  return { repositories: app.world.reposOf(org.id).length }
}

function inRepository({ app }: Controlled, name: string) {
  const { world, sites: at } = app
  const [owner = '', short = ''] = name.split('/')
  const repo = world.repo(owner, short)
  const actor = world.user(adminLogin)
  if (!repo || !actor) throw new Wrong(422, `repository: there is no ${name}`)
  const change = <R>(body: (c: Change) => R): R => world.transaction((tx) => body({ world, at, tx, actor }))
  return { world, repo, change }
}

function findingOf(c: Controlled, text: string): unknown {
  const { repository, finding } = read(findingInput, text)
  const { repo, change } = inRepository(c, repository)
  return { number: change((tx) => find(tx, repo, finding)).number }
}

function dropIssue(c: Controlled, text: string): unknown {
  const { repository, number } = read(issueInput, text)
  const { world, repo, change } = inRepository(c, repository)
  const issue = world.parts(repo.id, 'issue').find((it) => it.number === number)
  if (!issue) throw new Wrong(404, `${repository} has no issue ${number}`)
  change((tx) => deleteIssue(tx, repo, issue))
  return { number }
}

function revoke({ app }: Controlled, id: number): unknown {
  const token = app.world.get('tokens', id)
  if (!token) throw new Wrong(404, 'no token has this id')
  app.world.transaction((tx) => tx.put('tokens', { ...token, revoked: true }))
  return { id, revoked: true }
}

async function act(
  c: Controlled,
  method: string,
  path: string,
  query: URLSearchParams,
  text: string,
): Promise<unknown> {
  const { app, log } = c
  const [what = '', id] = path.split('/').slice(1)
  switch (`${method} ${what}`) {
    case 'GET state':
      return summary(c)
    case 'GET faults':
      return app.faults.list()
    case 'POST faults': {
      const { path: _path, ...fault } = app.faults.add(read(faultInput, text))
      return fault
    }
    case 'DELETE faults':
      return { healed: app.faults.heal(id === undefined ? undefined : Number(id)) }
    case 'POST tokens':
      return makeToken(app.world, read(tokenInput, text))
    case 'POST apps':
      return makeApp(c, text)
    case 'DELETE tokens':
      return revoke(c, Number(id))
    case 'GET requests':
      return { counts: log.counts, requests: log.since(Number(query.get('since') ?? 0)) }
    case 'DELETE requests':
      log.clear()
      return {}
    case 'POST limits':
      app.limits.settings = { ...app.limits.settings, ...JSON.parse(JSON.stringify(read(limitsInput, text))) }
      return app.limits.settings
    case 'POST advance':
      app.limits.advance(read(advanceInput, text).seconds)
      return { now: Math.floor(app.limits.now() / 1000) }
    case 'POST restore':
      return restore(c, text)
    case 'POST findings':
      return findingOf(c, text)
    case 'DELETE issues':
      return dropIssue(c, text)
    case 'POST seed':
      return seed(c, text)
    case 'POST life':
      return { happened: c.life.steps(read(lifeInput, text).steps) }
    case 'POST settle':
      await c.sender.idle()
      return { pending: 0 }
    default:
      throw new Wrong(404, `the switchboard has no ${method} ${path}; docs/sandbox.md lists what it has`)
  }
}

export const switchboard =
  (c: Controlled): Switchboard =>
  async (method, path, query, text, key) => {
    try {
      if (key !== c.key) throw new Wrong(401, 'send the control token of the listening line as Authorization: Bearer')
      return { status: 200, body: await act(c, method, path, query, text) }
    } catch (error) {
      if (error instanceof Wrong) return { status: error.status, body: { message: error.message } }
      if (error instanceof SyntaxError) return { status: 422, body: { message: error.message } }
      throw error
    }
  }
