import { hash } from 'node:crypto'
import type { Params } from './client.ts'
import { handlers } from './events.ts'

/** What GitHub is asked to tell. */
export const events: readonly string[] = Object.keys(handlers).sort()

/** Of these only an organisation's webhook tells. */
const ofOrganizations: readonly string[] = ['membership', 'organization', 'team']

/** A place where webhooks lie: an organisation, or a repository of one. */
export interface Place {
  readonly scope: string
  /** Below the API: `/orgs/{org}/hooks` with its parameters. */
  readonly path: string
  readonly params: Params
  readonly events: readonly string[]
}

export const organizationPlace = (org: string): Place => ({
  scope: org,
  path: '/orgs/{org}/hooks',
  params: { org },
  events,
})

export function repositoryPlace(fullName: string): Place {
  const [owner = '', repo = ''] = fullName.split('/')
  const own = events.filter((name) => !ofOrganizations.includes(name))
  return { scope: fullName, path: '/repos/{owner}/{repo}/hooks', params: { owner, repo }, events: own }
}

export const placeOf = (scope: string): Place =>
  scope.includes('/') ? repositoryPlace(scope) : organizationPlace(scope)

/** What is remembered of a webhook: its id, and which secret it has, since GitHub shows none. */
export const remember = (id: number, secret: string): string => `${id} ${hash('sha256', secret).slice(0, 12)}`
export const idOf = (remembered: string): string => remembered.split(' ')[0] ?? ''
