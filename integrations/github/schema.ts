import { z } from 'zod'
import { BadAnswer, isObject, type Json } from '../../core/sdk/index.ts'

const login = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'expected the login of an organisation')

export const githubConfig = z
  .strictObject({
    token: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A token that may read the organisations: classic with `repo` and `read:org`, or fine-grained with `Metadata: read` and `Members: read`. Or `app`.',
      ),
    app: z
      .strictObject({
        id: z.union([z.int().positive(), z.string().min(1)]).describe('App ID or client ID.'),
        privateKey: z.string().min(1).describe('One of its private keys, in PEM: "${file:./app.pem}".'),
      })
      .optional()
      .describe('A GitHub App that is installed in the organisations, in place of a token.'),
    organizations: z.array(login).min(1).describe('Logins of the organisations to read. Each is listed on its own.'),
    only: z
      .array(z.string().regex(/^[^/\s]+\/[^/\s]+$/, 'expected owner/name'))
      .min(1)
      .optional()
      .describe('For a first try: read these repositories only, as owner/name.'),
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .default('https://api.github.com')
      .describe('Address of the API. GitHub Enterprise: https://HOST/api/v3'),
    pageSize: z.int().min(1).max(100).default(100).describe('Items asked for at once; smaller for a slow server.'),
  })
  .check((context) => {
    const { token, app } = context.value
    if ((token === undefined) === (app === undefined)) {
      const message = token === undefined ? 'expected `token`, or `app`' : 'expected either `token` or `app`, not both'
      context.issues.push({ code: 'custom', message, input: undefined, path: ['token'] })
    }
    const known = new Set(context.value.organizations.map((name) => name.toLowerCase()))
    for (const [index, name] of (context.value.only ?? []).entries()) {
      const [owner = '', repo] = name.split('/')
      // Without a slash it is refused already.
      if (repo === undefined || known.has(owner.toLowerCase())) continue
      const message = `${owner} is not among the organizations`
      context.issues.push({ code: 'custom', message, input: name, path: ['only', index] })
    }
  })

export type GithubConfig = z.output<typeof githubConfig>

/** Reads `value`, keeping declared fields in declared order. Throws BadAnswer with the path of the first thing that is wrong. */
export function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = ['$', ...(issue?.path ?? [])].map(String).join('.')
  throw new BadAnswer(`${what}: ${path}: ${issue?.message ?? 'has another shape'}`)
}

/** GitHub's immutable numeric id as text. */
export function keyOf(item: Json, what: string): string {
  const id = isObject(item) ? item['id'] : undefined
  if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return String(id)
  throw new BadAnswer(`${what}: $.id: expected a positive whole number`)
}

/** `2026-01-02T03:04:05Z`. Push events give seconds since the epoch where every other answer gives text. */
export const timestamp = z
  .union([z.string(), z.number()])
  .transform((value) => (typeof value === 'number' ? iso(value * 1000) : value))

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')

/** The timestamp in the one form whose order by code point is its order in time. Undefined if it is none. */
export function orderable(value: string): string | undefined {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)) return value
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : iso(time)
}
