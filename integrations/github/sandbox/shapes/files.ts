// Files of the default branch as trees, blobs and contents.
import { createHash } from 'node:crypto'
import type { Repo } from '../state/model.ts'
import type { File } from '../state/parts.ts'
import type { World } from '../state/world.ts'
import { nodeId, type Schemas, type Sites } from './api.ts'
import { fullName } from './work.ts'

/** The name Git gives to a content. */
export const blobSha = (content: string): string =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0${content}`)
    .digest('hex')

const folderSha = (path: string, files: readonly File[]): string =>
  createHash('sha1')
    .update(`${path}\0${files.map((file) => `${file.path} ${file.sha}`).join('\n')}`)
    .digest('hex')

const size = (file: File): number => Buffer.byteLength(file.content)
const base64 = (file: File): string =>
  `${(
    Buffer.from(file.content)
      .toString('base64')
      .match(/.{1,60}/g) ?? []
  ).join('\n')}\n`

/** Folders come before what is in them, all by path, as Git sorts. */
export function treeOf(
  at: Sites,
  world: World,
  repo: Repo,
  files: readonly File[],
  recursive: boolean,
): Schemas['git-tree'] {
  const url = `${at.api}/repos/${fullName(world, repo)}/git`
  const folders = new Set<string>()
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1)
    for (const [index] of parts.entries()) folders.add(parts.slice(0, index + 1).join('/'))
  }
  const entries = [
    ...files.map((file) => ({
      path: file.path,
      mode: '100644',
      type: 'blob',
      sha: file.sha,
      size: size(file),
      url: `${url}/blobs/${file.sha}`,
    })),
    ...[...folders].map((path) => {
      const sha = folderSha(
        path,
        files.filter((file) => file.path.startsWith(`${path}/`)),
      )
      return { path, mode: '040000', type: 'tree', sha, url: `${url}/trees/${sha}` }
    }),
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
  const sha = folderSha('', files)
  const shown = recursive ? entries : entries.filter(({ path }) => !path.includes('/'))
  return { sha, url: `${url}/trees/${sha}`, tree: shown, truncated: false }
}

export const blobOf = (at: Sites, world: World, repo: Repo, file: File): Schemas['blob'] => ({
  sha: file.sha,
  node_id: nodeId('B', repo.id, file.id),
  size: size(file),
  url: `${at.api}/repos/${fullName(world, repo)}/git/blobs/${file.sha}`,
  content: base64(file),
  encoding: 'base64',
})

export function contentOf(at: Sites, world: World, repo: Repo, file: File): Schemas['content-file'] {
  const full = fullName(world, repo)
  const self = `${at.api}/repos/${full}/contents/${file.path}?ref=${repo.defaultBranch}`
  const git = `${at.api}/repos/${full}/git/blobs/${file.sha}`
  const html = `${at.web}/${full}/blob/${repo.defaultBranch}/${file.path}`
  return {
    type: 'file',
    encoding: 'base64',
    size: size(file),
    name: file.path.split('/').at(-1) ?? file.path,
    path: file.path,
    content: base64(file),
    sha: file.sha,
    url: self,
    git_url: git,
    html_url: html,
    download_url: `${at.web}/${full}/raw/${repo.defaultBranch}/${file.path}`,
    _links: { self, git, html },
  }
}
