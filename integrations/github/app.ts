import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { z } from 'zod'
import type { Json } from '../../core/sdk/index.ts'
import type { GithubConfig } from './schema.ts'

export type App = NonNullable<GithubConfig['app']>

/** A PEM as files have it, or as environments carry it: with `\n` written out, or in base64. Throws what is wrong. */
export function keyOfApp({ privateKey }: Pick<App, 'privateKey'>): KeyObject {
  const text = privateKey.trim().replaceAll('\\n', '\n')
  const pem = text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString()
  return createPrivateKey(pem)
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Proves to GitHub that we are the App: RS256, for nine minutes, from a minute ago on, since clocks differ. */
export function jwtOf(id: string, key: KeyObject, now: number): string {
  const seconds = Math.floor(now / 1000)
  const claims = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: seconds - 60, exp: seconds + 540, iss: id })}`
  return `${claims}.${sign('RSA-SHA256', Buffer.from(claims), key).toString('base64url')}`
}

export const installationSchema = z.object({
  id: z.int(),
  account: z.object({ login: z.string() }).nullable(),
  permissions: z.record(z.string(), z.string()).default({}),
  suspended_at: z.string().nullish(),
})
export type Installation = z.output<typeof installationSchema>

export const tokenSchema = z.object({ token: z.string().min(1), expires_at: z.string() })

/** So long before its end a token is renewed: a scan's longest request ends before it does. */
export const renewBefore = 5 * 60_000

/** Which repository belongs to whom, as answers tell: requests that name a repository by its id name no organisation. */
export class Owners {
  readonly #byId = new Map<string, string>()

  learn(data: Json): void {
    for (const item of Array.isArray(data) ? data : [data]) {
      const seen = owned.safeParse(item)
      if (seen.success) this.#byId.set(String(seen.data.id), seen.data.owner.login.toLowerCase())
    }
  }

  of(id: unknown): string | undefined {
    return this.#byId.get(String(id))
  }
}

const owned = z.object({ id: z.int(), full_name: z.string(), owner: z.object({ login: z.string() }) })
