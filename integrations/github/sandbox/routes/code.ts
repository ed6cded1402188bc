import { z } from 'zod'
import { createRef, deleteRef, renameBranch, writeFiles } from '../changes/code.ts'
import { paged } from '../http/paging.ts'
import { invalid, notFound, unprocessable } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import { simpleUser } from '../shapes/accounts.ts'
import { blobOf, contentOf, treeOf } from '../shapes/files.ts'
import { permissionsOf } from '../shapes/repository.ts'
import { fullBranch, listedBranch, tagOf } from '../shapes/work.ts'
import type { Repo } from '../state/model.ts'
import type { File, Ref } from '../state/parts.ts'
import { readable, writable } from './access.ts'
import { mayAtLeast, repoOf } from './find.ts'
import { read } from './input.ts'

const byName = (refs: readonly Ref[]): readonly Ref[] => refs.toSorted((a, b) => (a.name < b.name ? -1 : 1))

function branchOf(call: Call, repo: Repo, name: string): Ref {
  const found = call.app.world.parts(repo.id, 'branch').find((it) => it.name === name)
  if (!found) throw notFound()
  return found
}

/** The files at a branch, a commit of one, or a tag; a tree that is asked for by its own name is always the newest one. */
function filesAt(call: Call, repo: Repo, ref: string | null): readonly File[] {
  const { world } = call.app
  const name = (ref ?? repo.defaultBranch).replace(/^refs\/(heads|tags)\//, '')
  const files = world.parts(repo.id, 'file').toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const refs = [...world.parts(repo.id, 'branch'), ...world.parts(repo.id, 'tag')]
  const known = name === 'HEAD' || refs.some((it) => it.name === name || it.sha === name)
  if (known && files.length > 0) return files
  if (treeOf(call.app.sites, world, repo, files, true).sha === name) return files
  throw notFound()
}

const refRoutes: readonly Route[] = [
  route('repos/list-branches', 'GET', '/repos/:owner/:repo/branches', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'contents')
    return paged(call, byName(world.parts(repo.id, 'branch')), (it) => listedBranch(sites, world, repo, it))
  }),

  route('repos/get-branch', 'GET', '/repos/:owner/:repo/branches/:branch', (call) => {
    const repo = readable(call, 'contents')
    return reply(200, fullBranch(call.app.sites, call.app.world, repo, branchOf(call, repo, call.params.branch)))
  }),

  route('repos/rename-branch', 'POST', '/repos/:owner/:repo/branches/:branch/rename', (call) => {
    const { repo, actor } = writable(call, 'contents')
    const before = branchOf(call, repo, call.params.branch)
    const { new_name: name } = read(z.object({ new_name: z.string().min(1) }), 'Branch', call.body)
    const ref = change(call, actor, (c) => renameBranch(c, repo, before, name))
    return reply(201, fullBranch(call.app.sites, call.app.world, repo, ref))
  }),

  route('repos/list-tags', 'GET', '/repos/:owner/:repo/tags', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'contents')
    return paged(call, byName(world.parts(repo.id, 'tag')), (it) => tagOf(sites, world, repo, it))
  }),

  route('git/create-ref', 'POST', '/repos/:owner/:repo/git/refs', (call) => {
    const { repo, actor } = writable(call, 'contents')
    const { ref, sha } = read(z.object({ ref: z.string(), sha: z.string().length(40) }), 'Reference', call.body)
    const [, folder, name] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? []
    if (folder === undefined || name === undefined)
      throw invalid({ resource: 'Reference', field: 'ref', code: 'invalid' })
    const type = folder === 'heads' ? 'branch' : 'tag'
    if (call.app.world.parts(repo.id, type).some((it) => it.name === name))
      throw unprocessable('Reference already exists')
    const made = change(call, actor, (c) => createRef(c, repo, type, name, sha))
    const url = `${call.app.sites.api}/repos/${call.params.owner}/${call.params.repo}/git`
    return reply(201, {
      ref,
      node_id: `REF_${made.id}`,
      url: `${url}/${ref}`,
      object: { type: 'commit', sha, url: `${url}/commits/${sha}` },
    })
  }),

  route('git/delete-ref', 'DELETE', '/repos/:owner/:repo/git/refs/:ref+', (call) => {
    const { repo, actor } = writable(call, 'contents')
    const [folder, ...name] = call.params.ref.split('/')
    const type = folder === 'heads' ? 'branch' : 'tag'
    const found = call.app.world.parts(repo.id, type).find((it) => it.name === name.join('/'))
    if (!found) throw unprocessable('Reference does not exist')
    change(call, actor, (c) => deleteRef(c, repo, found))
    return noContent
  }),
]

const contentFields = z.object({ content: z.base64(), sha: z.string().optional(), message: z.string().default('work') })

function wantedPath(call: Call<'path'>): string {
  return call.params.path
}

const fileRoutes: readonly Route[] = [
  route('git/get-tree', 'GET', '/repos/:owner/:repo/git/trees/:path+', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'contents')
    const recursive = call.query.has('recursive')
    return reply(200, treeOf(sites, world, repo, filesAt(call, repo, wantedPath(call)), recursive))
  }),

  route('git/get-blob', 'GET', '/repos/:owner/:repo/git/blobs/:blob', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'contents')
    const file = world.parts(repo.id, 'file').find((it) => it.sha === call.params.blob)
    if (!file) throw notFound()
    return reply(200, blobOf(sites, world, repo, file))
  }),

  route('repos/get-content', 'GET', '/repos/:owner/:repo/contents/:path+', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'contents')
    const file = filesAt(call, repo, call.query.get('ref')).find((it) => it.path === wantedPath(call))
    if (!file) throw notFound()
    return reply(200, contentOf(sites, world, repo, file))
  }),

  route('repos/create-or-update-file-contents', 'PUT', '/repos/:owner/:repo/contents/:path+', (call) => {
    const { world, sites } = call.app
    const { repo, actor } = writable(call, 'contents')
    const path = wantedPath(call)
    const { content } = read(contentFields, 'Content', call.body)
    const text = Buffer.from(content, 'base64').toString()
    change(call, actor, (c) => writeFiles(c, repo, { [path]: text }))
    const file = world.parts(repo.id, 'file').find((it) => it.path === path)
    if (!file) throw notFound()
    const { content: _content, encoding: _encoding, _links: links, ...shown } = contentOf(sites, world, repo, file)
    const { git, html, self } = links
    const shownLinks = { self, ...(git === null ? {} : { git }), ...(html === null ? {} : { html }) }
    const { git_url: gitUrl, html_url: htmlUrl, download_url: downloadUrl, ...rest } = shown
    const urls = { git_url: gitUrl ?? '', html_url: htmlUrl ?? '', download_url: downloadUrl ?? '' }
    return reply(200, { content: { ...rest, ...urls, _links: shownLinks }, commit: {} })
  }),

  route('repos/delete-file', 'DELETE', '/repos/:owner/:repo/contents/:path+', (call) => {
    const { repo, actor } = writable(call, 'contents')
    const path = wantedPath(call)
    if (!call.app.world.parts(repo.id, 'file').some((it) => it.path === path)) throw notFound()
    change(call, actor, (c) => writeFiles(c, repo, { [path]: null }))
    return reply(200, { content: null, commit: {} })
  }),
]

const roles = { pull: 'read', triage: 'triage', push: 'write', maintain: 'maintain', admin: 'admin' } as const

/** Everybody who reaches the repository by a team or as an owner. */
const collaboratorRoutes: readonly Route[] = [
  route('repos/list-collaborators', 'GET', '/repos/:owner/:repo/collaborators', (call) => {
    const { world, sites } = call.app
    const { repo, has } = repoOf(call)
    if (!mayAtLeast(has, 'push')) throw notFound()
    const org = world.get('orgs', repo.ownerId)
    const best = new Map<number, keyof typeof roles>()
    for (const team of org ? world.teamsOf(org.id) : []) {
      const granted = team.repos[repo.id]
      if (granted === undefined) continue
      for (const id of Object.keys(team.members)) {
        const before = best.get(Number(id))
        if (before === undefined || mayAtLeast(granted, before)) best.set(Number(id), granted)
      }
    }
    for (const [id, member] of Object.entries(org?.members ?? {}))
      if (member.role === 'admin') best.set(Number(id), 'admin')
    const people = [...best]
      .sort(([a], [b]) => a - b)
      .flatMap(([id, may]) => {
        const user = world.get('users', id)
        return user ? [{ user, may }] : []
      })
    return paged(call, people, ({ user, may }) => ({
      ...simpleUser(sites, user),
      permissions: permissionsOf(may),
      role_name: roles[may],
    }))
  }),
]

export const codeRoutes: readonly Route[] = [...refRoutes, ...fileRoutes, ...collaboratorRoutes]
