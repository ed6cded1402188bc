// Branches, tags and files: every change of them is a push.
import { randomBytes } from 'node:crypto'
import { eventUser } from '../shapes/accounts.ts'
import { blobSha } from '../shapes/files.ts'
import { eventRepository } from '../shapes/repository.ts'
import type { Repo } from '../state/model.ts'
import type { File, Ref, Workflow } from '../state/parts.ts'
import { type Change, emit, signedBy } from '../webhooks/emit.ts'

export const newSha = (): string => randomBytes(20).toString('hex')
const nothing = '0'.repeat(40)

interface Pushed {
  readonly ref: string
  readonly before: string
  readonly after: string
  readonly added?: readonly string[]
  readonly modified?: readonly string[]
  readonly removed?: readonly string[]
}

/** Moves `pushed_at` and tells of it. */
function push(c: Change, before: Repo, pushed: Pushed): Repo {
  const now = c.world.stamp(before.pushedAt)
  const repo: Repo = { ...before, pushedAt: now, updatedAt: c.world.stamp(before.updatedAt) }
  c.tx.put('repos', repo)
  const org = c.world.get('orgs', repo.ownerId)
  if (!org) return repo
  const seconds = (time: string): number => Date.parse(time) / 1000
  const body = eventRepository(c.at, c.world, repo)
  const who = { name: c.actor.name, email: `${c.actor.login}@acme.example`, username: c.actor.login }
  const { added = [], modified = [], removed = [] } = pushed
  const commit = {
    id: pushed.after,
    tree_id: pushed.after,
    distinct: true,
    message: 'work',
    timestamp: now,
    url: `${body.html_url}/commit/${pushed.after}`,
    author: who,
    committer: who,
    added: [...added],
    modified: [...modified],
    removed: [...removed],
  }
  const commits = pushed.after === nothing ? [] : [commit]
  emit(c, org, 'push', {
    ref: pushed.ref,
    before: pushed.before,
    after: pushed.after,
    created: pushed.before === nothing,
    deleted: pushed.after === nothing,
    forced: false,
    base_ref: null,
    compare: `${body.html_url}/compare/${pushed.before.slice(0, 12)}...${pushed.after.slice(0, 12)}`,
    commits,
    head_commit: commits[0] ?? null,
    // A push gives both as seconds since the epoch.
    repository: {
      ...body,
      owner: { ...body.owner, name: org.login, email: org.email },
      created_at: seconds(repo.createdAt),
      pushed_at: seconds(repo.pushedAt),
      stargazers: repo.stars,
      master_branch: repo.defaultBranch,
    },
    pusher: { name: c.actor.login, email: who.email },
    ...signedBy(c, org),
    sender: eventUser(c.at, c.actor),
  })
  return repo
}

const full = (ref: Pick<Ref, 'type' | 'name'>): string => `refs/${ref.type === 'branch' ? 'heads' : 'tags'}/${ref.name}`

export function createRef(c: Change, repo: Repo, type: Ref['type'], name: string, sha: string): Ref {
  const now = c.world.stamp()
  const ref: Ref = {
    type,
    id: c.tx.nextId(),
    repoId: repo.id,
    name,
    sha,
    protected: false,
    createdAt: now,
    updatedAt: now,
  }
  c.tx.put('parts', ref)
  tellRef(c, repo, 'create', ref)
  push(c, repo, { ref: full(ref), before: nothing, after: sha })
  return ref
}

export function deleteRef(c: Change, repo: Repo, ref: Ref): void {
  c.tx.remove('parts', ref.id)
  tellRef(c, repo, 'delete', ref)
  push(c, repo, { ref: full(ref), before: ref.sha, after: nothing })
}

/** GitHub tells of it as of one branch that comes and one that goes. */
export function renameBranch(c: Change, repo: Repo, ref: Ref, name: string): Ref {
  deleteRef(c, repo, ref)
  const made = createRef(c, c.world.get('repos', repo.id) ?? repo, 'branch', name, ref.sha)
  const renamed: Ref = { ...made, protected: ref.protected }
  c.tx.put('parts', renamed)
  return renamed
}

function tellRef(c: Change, repo: Repo, event: 'create' | 'delete', ref: Ref): void {
  const org = c.world.get('orgs', repo.ownerId)
  if (!org) return
  const about = { repository: eventRepository(c.at, c.world, repo), ...signedBy(c, org) }
  const named = { ref: ref.name, ref_type: ref.type, pusher_type: 'user' }
  if (event === 'delete') emit(c, org, 'delete', { ...named, ...about })
  else emit(c, org, 'create', { ...named, master_branch: repo.defaultBranch, description: repo.description, ...about })
}

const workflowPath = /^\.github\/workflows\/[^/]+\.ya?ml$/

/** Writes files of the default branch in one push; `null` removes one. */
export function writeFiles(c: Change, repo: Repo, files: Readonly<Record<string, string | null>>): Repo {
  const now = c.world.stamp()
  const here = new Map(c.world.parts(repo.id, 'file').map((file) => [file.path, file]))
  const lists = { added: [] as string[], modified: [] as string[], removed: [] as string[] }
  for (const [path, content] of Object.entries(files)) {
    const before = here.get(path)
    if (content === null) {
      if (!before) continue
      c.tx.remove('parts', before.id)
      lists.removed.push(path)
    } else {
      const sha = blobSha(content)
      const created = { id: before?.id ?? c.tx.nextId(), createdAt: before?.createdAt ?? now }
      const file: File = { type: 'file', repoId: repo.id, ...created, path, content, sha, updatedAt: now }
      c.tx.put('parts', file)
      lists[before ? 'modified' : 'added'].push(path)
    }
    if (workflowPath.test(path)) followWorkflow(c, repo, path, content)
  }
  const head = c.world.parts(repo.id, 'branch').find((ref) => ref.name === repo.defaultBranch)
  const after = newSha()
  if (head) c.tx.put('parts', { ...head, sha: after, updatedAt: now })
  else createHead(c, repo, after)
  return push(c, repo, { ref: `refs/heads/${repo.defaultBranch}`, before: head?.sha ?? nothing, after, ...lists })
}

function createHead(c: Change, repo: Repo, sha: string): void {
  const now = c.world.stamp()
  c.tx.put('parts', {
    type: 'branch',
    id: c.tx.nextId(),
    repoId: repo.id,
    name: repo.defaultBranch,
    sha,
    protected: false,
    createdAt: now,
    updatedAt: now,
  })
}

/** A workflow is there because its file is; its name is in the file. */
function followWorkflow(c: Change, repo: Repo, path: string, content: string | null): void {
  const before = c.world.parts(repo.id, 'workflow').find((it) => it.path === path)
  if (content === null) {
    if (before) c.tx.remove('parts', before.id)
    return
  }
  const now = c.world.stamp(before?.updatedAt)
  const name = /^name:\s*(.+)$/m.exec(content)?.[1]?.trim() ?? path
  const workflow: Workflow = {
    type: 'workflow',
    id: before?.id ?? c.tx.nextId(),
    repoId: repo.id,
    path,
    name,
    state: before?.state ?? 'active',
    createdAt: before?.createdAt ?? now,
    updatedAt: before?.name === name ? before.updatedAt : now,
  }
  c.tx.put('parts', workflow)
}
