// The first day of the sandbox, from a seed. All times lie before `epoch`, so the same seed gives the same bytes.
import type { Org, OrgMember, Repo, RepoPermission, Team, User } from '../state/model.ts'
import type { Tx, World } from '../state/world.ts'
import { seedParts } from './parts.ts'
import { Random } from './random.ts'
import { forms, languages, people, services, subjects, teams, topicPool } from './words.ts'

const epoch = Date.parse('2026-06-01T08:00:00Z')
const day = 86_400_000
const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')

/** The machine account whose token `npm start` uses; it owns both organisations. */
export const adminLogin = 'acme-operations'

function makeUser(tx: Tx, random: Random, login: string, name: string, location: string | null): User {
  const created = epoch - random.int(400, 3000) * day
  const user: User = {
    id: tx.nextId(),
    login,
    type: 'User',
    name,
    email: `${login}@acme.example`,
    company: '@acme',
    location,
    bio: null,
    createdAt: iso(created),
    updatedAt: iso(created + random.int(1, 300) * day),
  }
  tx.put('users', user)
  return user
}

function makeOrg(tx: Tx, login: string, name: string, description: string, members: Record<string, OrgMember>): Org {
  const org: Org = {
    id: tx.nextId(),
    login,
    name,
    description,
    company: null,
    blog: `https://${login}.example`,
    location: 'Europe',
    email: `hello@${login}.example`,
    billingEmail: `billing@${login}.example`,
    defaultRepositoryPermission: 'read',
    membersCanCreateRepositories: true,
    members,
    createdAt: iso(epoch - 3200 * day),
    updatedAt: iso(epoch - 30 * day),
  }
  tx.put('orgs', org)
  return org
}

interface Draft {
  name: string
  description: string
  language: string
  topics: string[]
  /** The team it belongs to; anybody's otherwise. */
  team?: string
}

/** The `n`th repository: first the written ones, then as many invented ones as asked. */
function draft(n: number, random: Random): Draft {
  const written = services[n]
  if (written) {
    return {
      name: written[0],
      description: written[1],
      language: written[2],
      topics: written[3].split(',').sort(),
      team: written[4],
    }
  }
  const i = n - services.length
  const subject = subjects[i % subjects.length] ?? 'thing'
  const [form = '', topic = ''] = (forms[Math.floor(i / subjects.length) % forms.length] ?? '').split(':')
  const round = Math.floor(i / (subjects.length * forms.length))
  const name = `${subject}-${form}${round === 0 ? '' : `-${round + 1}`}`
  const topics = [topic, ...random.some(topicPool, random.int(0, 2))].sort()
  return {
    name,
    description: `The ${form} for every ${subject.replaceAll('-', ' ')}`,
    language: random.pick(languages),
    topics,
  }
}

function prototype(n: number, random: Random): Draft {
  const subject = subjects[n % subjects.length] ?? 'thing'
  const round = Math.floor(n / subjects.length)
  const name = `${subject}-prototype${round === 0 ? '' : `-${round + 1}`}`
  return { name, description: `Prototype: ${subject}`, language: random.pick(languages), topics: ['prototype'] }
}

function makeRepo(id: number, ownerId: number, d: Draft, random: Random): Repo {
  const created = epoch - random.int(60, 2500) * day - random.int(0, day)
  const pushed = Math.min(created + random.int(10, 2500) * day, epoch - random.int(0, 20 * day))
  const open = d.topics.includes('library') || d.topics.includes('open-source')
  const bytes = random.int(20_000, 900_000)
  return {
    id,
    ownerId,
    name: d.name,
    description: d.description,
    homepage: null,
    visibility: open ? 'public' : 'private',
    archived: random.chance(0.04),
    fork: false,
    isTemplate: d.topics.includes('template'),
    topics: d.topics,
    languages: { [d.language]: bytes, Shell: Math.round(bytes / 40) },
    license: open ? 'apache-2.0' : null,
    defaultBranch: random.chance(0.1) ? 'master' : 'main',
    stars: random.int(0, 40),
    forks: random.int(0, 6),
    openIssues: random.int(0, 25),
    subscribers: random.int(1, 15),
    size: random.int(40, 60_000),
    createdAt: iso(created),
    updatedAt: iso(Math.max(created, pushed)),
    pushedAt: iso(pushed),
    deletedAt: null,
    passing: false,
  }
}

function makeTeams(
  tx: Tx,
  random: Random,
  org: Org,
  wanted: readonly (readonly [string, string, string | null])[],
  members: User[],
): Team[] {
  const made: Team[] = []
  for (const [name, description, parent] of wanted) {
    const crew = random.some(members, random.int(3, 7))
    const created = iso(epoch - random.int(100, 2000) * day)
    made.push({
      id: tx.nextId(),
      orgId: org.id,
      name,
      slug: slugOf(name),
      description,
      privacy: name === 'Security' ? 'secret' : 'closed',
      notifications: true,
      parentId: made.find((team) => team.name === parent)?.id ?? null,
      members: Object.fromEntries(crew.map((user, i) => [user.id, i === 0 ? 'maintainer' : 'member'])),
      repos: {},
      createdAt: created,
      updatedAt: created,
    })
  }
  return made
}

/** Adds `count` more repositories to an organisation and gives each to a team. Names already taken are passed over. */
export function addRepos(tx: Tx, world: World, org: Org, crew: readonly Team[], count: number, random: Random): void {
  const grants = new Map(crew.map((team) => [team.id, { ...team.repos }]))
  const next = org.login.endsWith('-labs') ? prototype : draft
  for (let n = 0, made = 0; made < count; n += 1) {
    const d = next(n, random)
    if (world.repo(org.login, d.name)) continue
    const repo = makeRepo(tx.nextId(), org.id, d, random)
    tx.put('repos', repo)
    made += 1
    const home = crew.find((team) => team.name === d.team) ?? (crew.length > 0 ? random.pick(crew) : undefined)
    const permission: RepoPermission = random.chance(0.3) ? 'maintain' : 'push'
    const given = home && grants.get(home.id)
    if (given) given[repo.id] = permission
    const helper = crew.length > 0 && random.chance(0.25) ? grants.get(random.pick(crew).id) : undefined
    if (helper) helper[repo.id] ??= 'pull'
  }
  for (const team of crew) tx.put('teams', { ...team, repos: grants.get(team.id) ?? {} })
}

/** The first of them get files, pull requests and so on; thousands more stay empty, so that a large sandbox starts fast. */
const filledAtMost = 200

function fillRepos(tx: Tx, world: World, org: Org, random: Random): void {
  const teams = world.teamsOf(org.id)
  const people = Object.keys(org.members).map(Number)
  for (const repo of world.reposOf(org.id).slice(0, filledAtMost)) {
    const team = teams.find((one) => repo.id in one.repos && one.repos[repo.id] !== 'pull')
    seedParts({ tx, random, repo, org: org.login, team, people })
  }
}

/** Fills an empty world: `acme` with most of the repositories, `acme-labs` with a sixth of them. */
export function seedWorld(world: World, seed: number, repos: number): void {
  const random = new Random(seed)
  world.transaction((tx) => {
    tx.put('meta', { ...world.meta, seed })
    const admin = makeUser(tx, random, adminLogin, 'Acme Operations', null)
    const users = people.map(([login, name, location]) => makeUser(tx, random, login, name, location))
    const join = (crew: readonly User[]): Record<string, OrgMember> =>
      Object.fromEntries(
        [admin, ...crew].map((user, i) => [user.id, { role: i < 3 ? 'admin' : 'member', public: i % 3 === 1 }]),
      )
    const atHome = users.slice(0, 27)
    const atLabs = [...users.slice(27), ...random.some(atHome, 6)]
    const acme = makeOrg(tx, 'acme', 'Acme', 'Everything for the home, delivered', join(atHome))
    const labs = makeOrg(tx, 'acme-labs', 'Acme Labs', 'What the shop may do next year', join(atLabs))
    const inLabs = Math.floor(repos / 6)
    addRepos(tx, world, acme, makeTeams(tx, random, acme, teams, atHome), repos - inLabs, random)
    const labTeams = [
      ['Research', 'Reads papers, builds prototypes', null],
      ['Robotics', 'Warehouses that walk', null],
    ] as const
    addRepos(tx, world, labs, makeTeams(tx, random, labs, labTeams, atLabs), inLabs, random)
    for (const org of [acme, labs]) fillRepos(tx, world, org, new Random(seed + org.id))
  })
  world.compact()
}
