import type { components } from '@octokit/openapi-types'

const docs = 'https://docs.github.com/rest'

type Failure = NonNullable<components['schemas']['validation-error']['errors']>[number]

/** An answer that is not a success, thrown from wherever it is found out. The body has GitHub's shape. */
export class Refusal extends Error {
  readonly status: number
  readonly body: object
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, extra: { body?: object; headers?: Record<string, string> } = {}) {
    super(message)
    this.status = status
    this.body = { message, ...extra.body, documentation_url: docs, status: String(status) }
    this.headers = extra.headers ?? {}
  }
}

export const notFound = (): Refusal => new Refusal(404, 'Not Found')
export const badCredentials = (): Refusal => new Refusal(401, 'Bad credentials')
export const needsLogin = (): Refusal => new Refusal(401, 'Requires authentication')
export const forbidden = (message: string, headers: Record<string, string> = {}): Refusal =>
  new Refusal(403, message, { headers })
export const tokenLacks = (permission: string): Refusal =>
  forbidden('Resource not accessible by personal access token', { 'X-Accepted-GitHub-Permissions': permission })
export const badRequest = (message: string): Refusal => new Refusal(400, message)
export const invalid = (...errors: Failure[]): Refusal => new Refusal(422, 'Validation Failed', { body: { errors } })
export const unprocessable = (message: string): Refusal => new Refusal(422, message)
export const moved = (status: 301 | 307, url: string): Refusal =>
  new Refusal(status, status === 301 ? 'Moved Permanently' : 'Temporary Redirect', {
    body: { url },
    headers: { Location: url },
  })
