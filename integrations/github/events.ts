import { z } from 'zod'
import type { JsonObject, Signal } from '../../core/sdk/index.ts'
import { childHandlers, push } from './child-events.ts'
import { childSpecs } from './kinds/index.ts'
import { isWholeRepository, repositoryVersion } from './kinds/repository.ts'
import { collaborator } from './kinds/work.ts'
import { read } from './schema.ts'

export interface EventContext {
  /** The configured partition of an owner, or undefined. */
  readonly partitionOf: (login: string) => string | undefined
  /** False for repositories that `only` leaves out. */
  readonly wants: (fullName: string) => boolean
  /** A repository comes with more than GitHub tells of it, so that no event says all. */
  readonly extras?: boolean
}

export type Handler = (payload: JsonObject, context: EventContext) => readonly Signal[]

const id = z.int().transform(String)
const owner = z.object({ login: z.string() })

const repositoryEvent = z.object({
  action: z.string().optional(),
  repository: z.looseObject({ id, full_name: z.string(), owner }),
  changes: z
    .object({
      owner: z.object({ from: z.object({ organization: owner.optional(), user: owner.optional() }) }).optional(),
      repository: z.object({ name: z.object({ from: z.string() }) }).optional(),
    })
    .optional(),
})

/** Every event about a repository carries the repository as it is after it. */
const repository: Handler = (payload, context) => {
  const { action, repository: seen, changes } = read(repositoryEvent, payload, 'webhook')
  const locator = { fullName: seen.full_name }
  const partition = context.partitionOf(seen.owner.login)
  const former = changes?.owner?.from.organization ?? changes?.owner?.from.user
  const oldName = changes?.repository?.name.from
  const names = [seen.full_name, ...(oldName === undefined ? [] : [`${seen.owner.login}/${oldName}`])]
  if (former !== undefined) names.push(`${former.login}/${oldName ?? seen.full_name.split('/')[1] ?? ''}`)
  if (!names.some(context.wants)) return []

  const about = { kind: 'repository', key: seen.id, locator }
  const body = payload['repository'] ?? null
  const version = repositoryVersion(body)
  const versioned = version === undefined ? {} : { version }
  const signals: Signal[] = []
  const own = { kind: 'codeowners', key: seen.id }
  if (partition !== undefined && action === 'deleted') signals.push({ type: 'gone', ...own, partition })
  if (partition !== undefined && (action === 'renamed' || action === 'transferred')) {
    signals.push({ type: 'stale', ...own, partition })
  }
  if (partition !== undefined && action === 'deleted') signals.push({ type: 'gone', ...about, partition, ...versioned })
  else if (partition !== undefined) {
    signals.push({
      type: 'stale',
      ...about,
      partition,
      body,
      whole: context.extras !== true && isWholeRepository(body),
      ...versioned,
    })
  }
  // Without the body: that proves it to be in its new home, and says nothing of the old one.
  const left = former === undefined ? undefined : context.partitionOf(former.login)
  if (left !== undefined && left !== partition) {
    signals.push({ type: 'stale', ...about, partition: left }, { type: 'stale', ...own, partition: left })
  }
  // What is in it carries its name.
  if (action === 'renamed' || action === 'transferred') {
    for (const { name: kind } of childSpecs) signals.push({ type: 'resync', kind })
    for (const kind of ['file', 'folder']) signals.push({ type: 'resync', kind })
  }
  return signals
}

const teamEvent = z.object({
  action: z.string().optional(),
  team: z.object({ id, slug: z.string().optional(), deleted: z.boolean().optional() }),
  organization: owner.optional(),
  repository: z.object({ owner, full_name: z.string() }).optional(),
})

/** A team carries no version, so what its events say is asked for; a deletion stays a hint until GitHub confirms it. */
const team =
  (kindsFor: (action: string) => readonly string[]): Handler =>
  (payload, context) => {
    const event = read(teamEvent, payload, 'webhook')
    const login = event.organization?.login ?? event.repository?.owner.login ?? ''
    const partition = context.partitionOf(login)
    if (partition === undefined) return []
    const locator = event.team.slug === undefined ? {} : { locator: { slug: event.team.slug } }
    const type = event.action === 'deleted' ? 'gone' : 'stale'
    const signals: Signal[] = kindsFor(event.action ?? '').map((kind) => {
      return { type, kind, key: event.team.id, partition, ...locator }
    })
    // Whom it lets in and what they may do there changed with it; a team that only gained or lost a person is left to scans.
    if (event.repository !== undefined && context.wants(event.repository.full_name)) {
      signals.push({ type: 'resync', kind: collaborator.name, partition: event.repository.full_name })
    }
    return signals
  }

const organizationEvent = z.object({
  action: z.string(),
  organization: z.object({ id, login: z.string() }),
  changes: z.object({ login: z.object({ from: z.string() }).optional() }).optional(),
  membership: z.object({ user: z.object({ id, login: z.string() }).nullish() }).optional(),
})

const organization: Handler = (payload, context) => {
  const event = read(organizationEvent, payload, 'webhook')
  const former = event.changes?.login?.from
  const partition = context.partitionOf(event.organization.login) ?? context.partitionOf(former ?? '')
  if (partition === undefined || event.action === 'member_invited') return []
  if (!event.action.startsWith('member_')) {
    return [{ type: 'stale', kind: 'organization', key: event.organization.id, partition }]
  }
  const user = event.membership?.user
  if (user == null) return [{ type: 'resync', kind: 'user', partition }]
  const type = event.action === 'member_removed' ? 'gone' : 'stale'
  return [{ type, kind: 'user', key: user.id, partition, locator: { login: user.login } }]
}

const both = ['team', 'team-access'] as const
const access = ['team-access'] as const

/** Events that may change what one of our kinds says. */
export const handlers: Readonly<Record<string, Handler>> = {
  repository,
  public: repository,
  push: (payload, context) => [...repository(payload, context), ...push(payload, context)],
  star: repository,
  fork: repository,
  team: team((action) => (action.endsWith('_repository') ? access : both)),
  team_add: team(() => access),
  membership: team(() => access),
  organization,
  ...childHandlers,
}
