// A route is bound to one of GitHub's operations, so that a body of another shape, or another status, does not compile.
import type { operations } from '@octokit/openapi-types'
import type { Operation, Sites } from '../shapes/api.ts'
import type { User } from '../state/model.ts'
import type { World } from '../state/world.ts'
import type { Change } from '../webhooks/emit.ts'
import type { Asked, Faults } from './faults.ts'
import type { Limits } from './limits.ts'
import { badRequest } from './refusal.ts'
import type { Viewer } from './viewer.ts'

export interface App {
  readonly world: World
  readonly sites: Sites
  readonly limits: Limits
  readonly faults: Faults
}

export interface Extra {
  headers?: Record<string, string>
  lastModified?: string
}

type Success = 200 | 201 | 202 | 204
type Reply<S, B> = Extra & { status: S; body: B }
type ReplyOf<S, R> = R extends { content: infer C }
  ? [C] extends [never]
    ? Reply<S, undefined>
    : C extends { 'application/json': infer B }
      ? Reply<S, B>
      : never
  : never
/** Any successful answer of an operation, with the body that belongs to the status. */
export type Answer<O extends Operation> = operations[O]['responses'] extends infer R
  ? { [S in keyof R]: S extends Success ? ReplyOf<S, R[S]> : never }[keyof R]
  : never

export const reply = <S extends Success, B>(status: S, body: B, extra: Extra = {}): Reply<S, B> => ({
  status,
  body,
  ...extra,
})
export const noContent = reply(204, undefined)

type Names<P extends string> = P extends `${infer Head}/${infer Tail}`
  ? Names<Head> | Names<Tail>
  : P extends `:${infer Name}+`
    ? Name
    : P extends `:${infer Name}`
      ? Name
      : never

export interface Call<Name extends string = string> {
  readonly app: App
  readonly viewer: Viewer
  readonly params: Readonly<Record<Name, string>>
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
  readonly asked: Asked
  /** Where pages and redirects lead: the address that was asked, with or without /api/v3. */
  readonly base: string
  /** The path with ids instead of names, as GitHub writes it in links. */
  readonly stablePath: string
  readonly rate: string
}

export interface AnyAnswer extends Extra {
  readonly status: number
  readonly body?: unknown
}

export interface Route {
  readonly method: string
  readonly parts: readonly string[]
  readonly handle: (call: Call) => AnyAnswer
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export function route<O extends Operation, P extends string>(
  _operation: O,
  method: Method,
  path: P,
  handle: (call: Call<Names<P>>) => Answer<O>,
): Route {
  return { method, parts: path.split('/').slice(1), handle }
}

export function findRoute(
  routes: readonly Route[],
  method: string,
  parts: readonly string[],
): { route: Route; params: Record<string, string> } | undefined {
  for (const route of routes) {
    // `:name+` at the end takes the rest, slashes included.
    const rest = route.parts.at(-1)?.endsWith('+') === true
    const enough = rest ? parts.length >= route.parts.length : parts.length === route.parts.length
    if (route.method !== method || !enough) continue
    const params: Record<string, string> = {}
    const fits = route.parts.every((wanted, i) => {
      if (wanted.endsWith('+')) {
        params[wanted.slice(1, -1)] = parts.slice(i).join('/')
        return true
      }
      const part = parts[i] ?? ''
      if (wanted.startsWith(':')) params[wanted.slice(1)] = part
      return wanted.startsWith(':') ? part !== '' : wanted === part
    })
    if (fits) return { route, params }
  }
  return undefined
}

export const change = <R>(call: Call, actor: User, body: (c: Change) => R): R =>
  call.app.world.transaction((tx) => body({ world: call.app.world, at: call.app.sites, tx, actor }))

export function parseBody(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badRequest('Problems parsing JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('Body should be a JSON object')
  return { ...value }
}
