// What a repository has on the first day: files, branches, workflows and their runs, discussions, releases, alerts.
import { createHash } from 'node:crypto'
import { blobSha } from '../shapes/files.ts'
import type { Repo, Team } from '../state/model.ts'
import type { Part, Severity } from '../state/parts.ts'
import type { Tx } from '../state/world.ts'
import type { Random } from './random.ts'

const day = 86_400_000
const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
const sha = (text: string): string => createHash('sha1').update(text).digest('hex')

interface Seeding {
  readonly tx: Tx
  readonly random: Random
  readonly repo: Repo
  readonly org: string
  /** The team that looks after it, if one does. */
  readonly team: Team | undefined
  readonly people: readonly number[]
}

type Own<P> = P extends Part ? Omit<P, 'id' | 'repoId' | 'createdAt' | 'updatedAt'> : never

/** So many days before the last push something began, and so many it lasted. */
function put(s: Seeding, part: Own<Part>, ago: number, lasted = 0): number {
  const end = Date.parse(s.repo.pushedAt)
  const begun = Math.max(Date.parse(s.repo.createdAt), end - ago * day)
  const id = s.tx.nextId()
  const times = { createdAt: iso(begun), updatedAt: iso(Math.min(end, begun + lasted * day)) }
  // `part` is one of the union without what is added here.
  s.tx.put('parts', { ...part, id, repoId: s.repo.id, ...times } as Part)
  return id
}

const kinds: Readonly<Record<string, string>> = { frontend: 'website', library: 'library', data: 'data-pipeline' }

function catalogInfo({ repo, org, team }: Seeding): string {
  const type = repo.topics.map((topic) => kinds[topic]).find((found) => found !== undefined) ?? 'service'
  const tier = repo.topics.find((topic) => topic.startsWith('tier-'))
  const owner = team?.slug ?? 'platform'
  const component = `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ${repo.name}
  description: ${JSON.stringify(repo.description ?? repo.name)}
  annotations:
    github.com/project-slug: ${org}/${repo.name}
  tags: [${repo.topics.join(', ')}]
spec:
  type: ${type}
  lifecycle: ${repo.archived ? 'deprecated' : 'production'}
  owner: group:default/${owner}
  system: ${tier === 'tier-1' ? 'shop' : 'back-office'}
`
  if (type !== 'service') return component
  return `${component}  providesApis: [${repo.name}-api]
  dependsOn: [resource:default/${repo.name}-db]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: ${repo.name}-api
spec:
  type: openapi
  lifecycle: production
  owner: ${owner}
  system: ${tier === 'tier-1' ? 'shop' : 'back-office'}
  definition: "openapi: 3.1.0"
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: ${repo.name}-db
spec:
  type: database
  owner: ${owner}
`
}

function filesOf(s: Seeding): Record<string, string> {
  const { repo, org, team, random } = s
  const files: Record<string, string> = {
    'README.md': `# ${repo.name}\n\n${repo.description ?? ''}\n`,
    'src/main': `// ${repo.name}\n`,
    'docs/index.md': `# How ${repo.name} works\n`,
    '.github/workflows/ci.yaml': `name: CI\non: [push, pull_request]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n`,
    'package.json': `${JSON.stringify({ name: repo.name, version: `1.${random.int(0, 40)}.0`, dependencies: { express: '^4.18.0' } }, null, 2)}\n`,
  }
  if (team) files['CODEOWNERS'] = `* @${org}/${team.slug}\n/docs/ @${org}/${team.slug} @amara-okafor\n`
  if (repo.topics.includes('service') || repo.topics.includes('library') || repo.topics.includes('frontend'))
    files['catalog-info.yaml'] = catalogInfo(s)
  return files
}

const findings = ['Prototype pollution', 'Path traversal', 'Denial of service by a regular expression'] as const
const severities: readonly Severity[] = ['low', 'medium', 'high', 'critical']

function seedAlerts(s: Seeding): void {
  const { random, repo } = s
  const open = { number: 1, state: 'open', reason: null, closedAt: null, closedBy: null, comment: null } as const
  const severity = random.pick(severities)
  const summary = `${random.pick(findings)} in express`
  const ghsa = `GHSA-${sha(repo.name).slice(0, 4)}-${sha(repo.name).slice(4, 8)}-${sha(repo.name).slice(8, 12)}`
  const found = { type: 'dependabot', ecosystem: 'npm', package: 'express', manifest: 'package.json' } as const
  if (random.chance(0.5)) put(s, { ...found, ...open, severity, summary, ghsa }, 12)
  const rule = { rule: 'js/path-injection', description: 'A path is built from what a user sent' }
  const where = { path: 'src/main', ref: `refs/heads/${repo.defaultBranch}` }
  if (random.chance(0.3)) put(s, { type: 'code', ...open, severity, ...rule, ...where }, 9)
  const token = { secretType: 'slack_api_token', displayName: 'Slack API Token' }
  if (random.chance(0.15)) put(s, { type: 'secret', ...open, ...token }, 30)
}

function seedDiscussions(s: Seeding, branches: readonly string[]): void {
  const { random, repo } = s
  const author = (): number => random.pick(s.people)
  let number = 0
  const next = (): { number: number; userId: number } => ({ number: (number += 1), userId: author() })
  for (let n = random.int(0, 2); n > 0; n -= 1) {
    const closed = random.chance(0.3)
    put(
      s,
      {
        type: 'issue',
        ...next(),
        title: `${random.pick(['Slow', 'Wrong', 'Missing', 'Flaky'])} ${random.pick(['answer', 'test', 'page', 'label'])}`,
        body: random.chance(0.2) ? null : 'Seen today.',
        state: closed ? 'closed' : 'open',
        reason: closed ? 'completed' : null,
        assignees: random.chance(0.5) ? [author()] : [],
        labels: random.chance(0.6) ? ['bug'] : [],
        closedAt: closed ? repo.pushedAt : null,
      },
      random.int(3, 60),
      2,
    )
  }
  for (const [index, head] of branches.slice(1).entries()) {
    const merged = index > 0
    put(
      s,
      {
        type: 'pull',
        ...next(),
        title: `${random.pick(['Speed up', 'Tidy', 'Explain', 'Fix'])} ${repo.name}`,
        body: null,
        state: merged ? 'closed' : 'open',
        draft: random.chance(0.2),
        head,
        base: repo.defaultBranch,
        sha: sha(`${repo.id}/${head}`),
        assignees: random.chance(0.5) ? [author()] : [],
        reviewers: random.chance(0.7) ? [author()] : [],
        labels: random.chance(0.3) ? ['enhancement'] : [],
        mergedAt: merged ? repo.pushedAt : null,
        closedAt: merged ? repo.pushedAt : null,
      },
      random.int(1, 8),
      1,
    )
  }
}

function seedRuns(s: Seeding): void {
  const { random, repo } = s
  const workflowId = put(s, { type: 'workflow', name: 'CI', path: '.github/workflows/ci.yaml', state: 'active' }, 90)
  const count = random.int(2, 4)
  for (let number = 1; number <= count; number += 1) {
    const run = { workflowId, number, event: 'push', status: 'completed', branch: repo.defaultBranch } as const
    const conclusion = random.chance(0.8) ? 'success' : 'failure'
    const actorId = random.pick(s.people)
    put(s, { type: 'run', ...run, conclusion, sha: sha(`${repo.id}/${number}`), actorId }, count - number)
  }
}

function seedReleases(s: Seeding): void {
  const { random, repo } = s
  for (let n = random.int(0, 2); n > 0; n -= 1) {
    const tag = `v1.${n}.0`
    const commit = sha(`${repo.id}/${tag}`)
    put(s, { type: 'tag', name: tag, sha: commit, protected: false }, n * 20)
    const made = { tag, name: tag, target: repo.defaultBranch, body: 'What changed.', publishedAt: repo.pushedAt }
    put(s, { type: 'release', ...made, draft: false, prerelease: n === 2, authorId: random.pick(s.people) }, n * 20)
  }
}

function seedDeployments(s: Seeding): void {
  const { random, repo } = s
  if (!repo.topics.includes('service')) return
  for (const environment of ['staging', 'production']) {
    put(s, { type: 'environment', name: environment, wait: environment === 'production' ? 10 : 0 }, 200)
    const creatorId = random.pick(s.people)
    const status = {
      id: s.tx.nextId(),
      state: 'success',
      description: 'deployed',
      creatorId,
      at: repo.pushedAt,
    } as const
    const made = {
      environment,
      ref: repo.defaultBranch,
      sha: sha(`${repo.id}/head`),
      task: 'deploy',
      description: null,
    }
    put(s, { type: 'deployment', ...made, creatorId, statuses: [status] }, 1)
  }
}

/** Gives one repository its first content. */
export function seedParts(s: Seeding): void {
  const { random, repo } = s
  const branches = [repo.defaultBranch, ...random.some(['faster', 'docs', 'next-version'], random.int(0, 2))]
  for (const [index, name] of branches.entries()) {
    put(s, { type: 'branch', name, sha: sha(`${repo.id}/${name}`), protected: index === 0 }, index === 0 ? 5000 : 5)
  }
  for (const [path, content] of Object.entries(filesOf(s))) {
    // Some never got round to it. Their number is used up, so that the ids of everything else stay.
    if (path === 'CODEOWNERS' && /^[012]/.test(sha(repo.name))) s.tx.nextId()
    else put(s, { type: 'file', path, content, sha: blobSha(content) }, 30)
  }
  seedDiscussions(s, branches)
  seedRuns(s)
  seedReleases(s)
  seedDeployments(s)
  seedAlerts(s)
}
