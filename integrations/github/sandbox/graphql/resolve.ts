// What a query finds: repositories by their node ids, and files in them.

import type { App, Call } from '../http/route.ts'
import { Viewer } from '../http/viewer.ts'
import { nodeId } from '../shapes/api.ts'
import type { Repo } from '../state/model.ts'
import type { File } from '../state/parts.ts'
import type { Argument, Field, Selection } from './parse.ts'

interface Failure {
  readonly type: string
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** An object of GitHub's schema: its type, and its fields. */
interface Node {
  readonly type: string
  field(field: Field, args: Readonly<Record<string, unknown>>): unknown
}

export interface Answered {
  readonly data: unknown
  readonly errors?: readonly Failure[]
}

/** Of an id of a repository, its number. */
function repositoryOf(app: App, id: string): Repo | undefined {
  const bytes = Buffer.from(id.replace(/^R_/, ''), 'base64url')
  const number = id.startsWith('R_') && bytes.length >= 7 ? bytes.readUInt32BE(bytes.length - 4) : -1
  const repo = app.world.get('repos', number)
  return repo?.deletedAt === null && nodeId('R', repo.id) === id ? repo : undefined
}

export function answerQuery(
  call: Call,
  selection: readonly Selection[],
  variables: Readonly<Record<string, unknown>>,
): Answered {
  const { app, viewer } = call
  const errors: Failure[] = []
  const valueOf = (argument: Argument): unknown =>
    typeof argument === 'object' && argument !== null && 'variable' in argument
      ? variables[argument.variable]
      : argument
  const viewers = new Map<number, Viewer | undefined>()

  const sees = (repo: Repo): boolean => {
    const owner = app.world.owner(repo).row.login
    const lost = app.faults.lost(owner, { method: 'GET', path: `/repos/${owner}/${repo.name}`, page: 1 })
    if (lost !== undefined && lost.as !== 'public-only' && lost.as !== 'fields') return false
    const known = viewers.get(repo.ownerId) ?? new Viewer(app.world, viewer.token, lost)
    viewers.set(repo.ownerId, known)
    return known.sees(repo) !== undefined
  }
  /** A fine-grained token needs a permission for what is in a private repository. */
  const reads = (repo: Repo): boolean => {
    if (viewer.token?.kind !== 'fine-grained' || repo.visibility === 'public') return true
    return viewer.token.grants[repo.ownerId]?.contents !== undefined
  }

  const blob = (file: File): Node => ({
    type: 'Blob',
    field: ({ name }) => {
      const size = Buffer.byteLength(file.content)
      const fields = { oid: file.sha, byteSize: size, isTruncated: size > 512_000, isBinary: false, text: file.content }
      return name in fields ? fields[name as keyof typeof fields] : undefined
    },
  })
  const repository = (repo: Repo, path: readonly (string | number)[]): Node => ({
    type: 'Repository',
    field: ({ name, alias }, args) => {
      const owner = app.world.owner(repo).row.login
      const fields = {
        id: nodeId('R', repo.id),
        databaseId: repo.id,
        name: repo.name,
        nameWithOwner: `${owner}/${repo.name}`,
      }
      if (name !== 'object') return name in fields ? fields[name as keyof typeof fields] : undefined
      if (!reads(repo)) {
        const message = 'Resource not accessible by personal access token'
        errors.push({ type: 'FORBIDDEN', path: [...path, alias], message })
        return null
      }
      const [, place] = /^HEAD:(.+)$/.exec(String(args['expression'])) ?? []
      const file = app.world.parts(repo.id, 'file').find((it) => it.path === place)
      return file === undefined ? null : blob(file)
    },
  })

  const show = (node: Node, wanted: readonly Selection[]): Record<string, unknown> => {
    const shown: Record<string, unknown> = {}
    for (const one of wanted) {
      if ('on' in one) {
        if (one.on === node.type) Object.assign(shown, show(node, one.selection))
        continue
      }
      const args = Object.fromEntries(Object.entries(one.args).map(([key, value]) => [key, valueOf(value)]))
      const found = one.name === '__typename' ? node.type : node.field(one, args)
      if (found === undefined) {
        errors.push({ type: 'undefinedField', path: [one.alias], message: `Field '${one.name}' doesn't exist` })
      } else shown[one.alias] = isNode(found) ? show(found, one.selection) : found
    }
    return shown
  }

  const root: Node = {
    type: 'Query',
    field: ({ name, alias, selection: inner }, args) => {
      if (name !== 'nodes' || !Array.isArray(args['ids'])) return undefined
      return args['ids'].map((id: unknown, index) => {
        const path = [alias, index]
        const repo = repositoryOf(app, String(id))
        if (repo !== undefined && sees(repo)) return show(repository(repo, path), inner)
        const message = `Could not resolve to a node with the global id of '${String(id)}'.`
        errors.push({ type: 'NOT_FOUND', path, message })
        return null
      })
    },
  }
  const data = show(root, selection)
  return errors.length === 0 ? { data } : { data, errors }
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'field' in value && typeof value.field === 'function'
