import { isObject, type Json, type JsonObject, type Tools } from '../../core/sdk/index.ts'

/** A file or folder that a mapping asks for. `repos`: only in these, each at a branch or at the default one. */
export interface PathWant {
  readonly path: string
  readonly repos?: readonly { readonly name: string; readonly branch?: string }[]
  readonly organization?: string
  /** The content stays a text. */
  readonly raw: boolean
}

/** What the mapping file asks of the source beside the objects themselves; decides what is fetched. */
export interface Wants {
  /** Which repositories of an organisation are listed. */
  readonly repositoryType: string
  /** Files whose content comes with each repository. */
  readonly includedFiles: readonly string[]
  readonly pulls: { readonly open: boolean; readonly closed: boolean; readonly max: number; readonly days: number }
  readonly issues: 'open' | 'closed' | 'all'
  readonly runs: { readonly max: number }
  /** Of so many deployments. */
  readonly statuses: { readonly max: number }
  readonly files: readonly PathWant[]
  readonly folders: readonly PathWant[]
  /** Who is in a team, with the team itself. */
  readonly teamMembers: boolean
  /** The teams and collaborators of a repository, with the repository itself. */
  readonly repositoryTeams: boolean
  readonly repositoryCollaborators: boolean
}

/** What is read of a repository when the mapping names no file: who owns it, what it is, what it is made of. */
export const usualFiles: readonly string[] = [
  'README.md',
  'CODEOWNERS',
  '.github/CODEOWNERS',
  'docs/CODEOWNERS',
  'catalog-info.yaml',
  'catalog-info.yml',
  'package.json',
  'composer.json',
  'go.mod',
  'pom.xml',
  'pyproject.toml',
  'Cargo.toml',
]

const texts = (value: Json | undefined): string[] =>
  Array.isArray(value)
    ? value.filter((it): it is string => typeof it === 'string')
    : typeof value === 'string'
      ? [value]
      : []

const count = (value: Json | undefined, fallback: number): number =>
  typeof value === 'number' && value >= 1 ? Math.floor(value) : fallback

export const statesOf = (selector: JsonObject): readonly string[] => {
  const states = [...texts(selector['states']), ...texts(selector['state'])]
  return states.length > 0 ? states : ['open']
}

export const pathsOf = (selector: JsonObject, field: 'files' | 'folders'): PathWant[] => {
  const listed = selector[field]
  return (Array.isArray(listed) ? listed : listed === undefined ? [] : [listed]).flatMap((entry: Json) => {
    if (typeof entry === 'string') return [{ path: entry, raw: false }]
    if (!isObject(entry)) return []
    const repos = reposOf(entry['repos'])
    const organization = texts(entry['organization'])[0]
    const more = {
      raw: entry['skipParsing'] === true,
      ...(repos === undefined ? {} : { repos }),
      ...(organization === undefined ? {} : { organization }),
    }
    return texts(entry['path']).map((path) => ({ path: path.replace(/^\/+/, ''), ...more }))
  })
}

function reposOf(value: Json | undefined): PathWant['repos'] {
  if (!Array.isArray(value) || value.length === 0) return undefined
  return value.flatMap((entry: Json) => {
    if (typeof entry === 'string') return [{ name: entry }]
    const [name] = isObject(entry) ? texts(entry['name']) : []
    const [branch] = isObject(entry) ? texts(entry['branch']) : []
    return name === undefined ? [] : [{ name, ...(branch === undefined ? {} : { branch }) }]
  })
}

export function wantsOf(asked: Tools['asked'] | undefined): Wants {
  const of = (kind: string): readonly JsonObject[] => asked?.selectors[kind] ?? []
  const pulls = of('pull-request')
  const states = pulls.flatMap((selector) => [...statesOf(selector)])
  const issueStates = of('issue').flatMap((selector) => [...statesOf(selector)])
  const repositories = of('repository')
  const include = repositories.flatMap((selector) => texts(selector['include']))
  const files = of('file').flatMap((selector) => pathsOf(selector, 'files'))
  const folders = of('folder').flatMap((selector) => pathsOf(selector, 'folders'))
  return {
    repositoryType: texts(asked?.options['repositoryType'])[0] ?? 'all',
    includedFiles: [...new Set(repositories.flatMap((selector) => texts(selector['includedFiles'])))],
    pulls: {
      open: states.length === 0 || states.includes('open') || states.includes('all'),
      closed: states.some((state) => state !== 'open'),
      max: Math.max(0, ...pulls.map((selector) => count(selector['maxResults'], 100))) || 100,
      days: Math.max(0, ...pulls.map((selector) => count(selector['since'], 60))) || 60,
    },
    issues: issueState(issueStates),
    runs: { max: Math.max(0, ...of('workflow-run').map((selector) => count(selector['maxResults'], 100))) || 100 },
    statuses: {
      max: Math.max(0, ...of('deployment-status').map((selector) => count(selector['maxResults'], 100))) || 100,
    },
    files: files.length > 0 ? files : usualFiles.map((path) => ({ path, raw: false })),
    folders: folders.length > 0 ? folders : [{ path: '*', raw: false }],
    teamMembers: of('team').some((selector) => selector['members'] === true),
    repositoryTeams: include.includes('teams') || repositories.some((selector) => selector['teams'] === true),
    repositoryCollaborators: include.includes('collaborators'),
  }
}

function issueState(states: readonly string[]): Wants['issues'] {
  const open = states.length === 0 || states.includes('open')
  const closed = states.includes('closed')
  return states.includes('all') || (open && closed) ? 'all' : closed ? 'closed' : 'open'
}
