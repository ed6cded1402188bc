import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { CredentialRefused } from '../../core/sdk/index.ts'
import { type Installation, installationSchema, jwtOf, keyOfApp, renewBefore, tokenSchema } from './app.ts'
import type { Answer, AskOptions, Params } from './client.ts'
import { type GithubConfig, read } from './schema.ts'
import { unreadable } from './scope.ts'

/** Asks with this token. */
export type Raw = (route: string, params: Params, token: string, options: AskOptions) => Promise<Answer>

/** Whose token a request takes. */
export interface Credential {
  /** Of an owner; undefined: none is installed there. */
  of(owner: string, signal: AbortSignal): Promise<string | undefined>
  /** For requests that name no owner: all there are. */
  all(signal: AbortSignal): Promise<readonly string[]>
  /** For requests about the App itself; undefined: we are none. */
  readonly own?: () => string
  /** Which of the credential's allowances this token spends; undefined: it has one. */
  readonly allowance?: (token: string) => string | undefined
  /** GitHub refused this token: it is not used again. */
  forget(token: string): void
  /** Of an App: where it is installed, and what it may do there. */
  readonly installations?: (signal: AbortSignal) => Promise<readonly Installation[]>
}

export function createCredential(
  config: Pick<GithubConfig, 'token' | 'app' | 'organizations'>,
  raw: Raw,
  now: () => number,
): Credential {
  const { token, app } = config
  if (app !== undefined) return appCredential(config, app, raw, now)
  const only = token ?? ''
  return {
    of: () => Promise.resolve(only),
    all: () => Promise.resolve([only]),
    forget: () => undefined,
  }
}

interface Held {
  readonly token: string
  readonly until: number
}

/** An App has a token for each organisation that it is installed in; each lives for an hour and is renewed before its end. */
function appCredential(
  { organizations }: Pick<GithubConfig, 'organizations'>,
  app: NonNullable<GithubConfig['app']>,
  raw: Raw,
  now: () => number,
): Credential {
  let key: KeyObject | undefined
  const held = new Map<number, Promise<Held>>()
  /** Each installation has a rate limit of its own. By the token it has now. */
  const spends = new Map<string, string>()
  let listed: { readonly at: number; readonly all: Promise<readonly Installation[]> } | undefined

  const own = (): string => {
    key ??= parsedKey(app)
    return jwtOf(String(app.id), key, now())
  }

  async function list(signal: AbortSignal): Promise<readonly Installation[]> {
    const found: Installation[] = []
    for (let page = 1; ; page += 1) {
      const answer = await raw('GET /app/installations', { per_page: 100, page }, own(), { signal })
      if (answer.state !== 'ok') throw refusedApp(answer)
      const some = read(z.array(installationSchema), answer.data, 'installations of the App')
      found.push(...some)
      if (some.length < 100) return found
    }
  }

  /** Asked again every five minutes, so that an installation that is added or taken away is seen. */
  const installations = (signal: AbortSignal): Promise<readonly Installation[]> => {
    if (listed === undefined || now() - listed.at > renewBefore) {
      const all = list(signal)
      listed = { at: now(), all }
      all.catch(() => {
        listed = undefined
      })
    }
    return listed.all
  }

  async function make(id: number, signal: AbortSignal): Promise<Held> {
    const answer = await raw('POST /app/installations/{id}/access_tokens', { id }, own(), { signal })
    if (answer.state !== 'ok') {
      throw answer.state === 'refused' ? unreadable(answer, `installation ${id} of the App`) : refusedApp(answer)
    }
    const made = read(tokenSchema, answer.data, 'token of the installation')
    const allowance = `installation ${id}`
    for (const [old, name] of spends) if (name === allowance) spends.delete(old)
    spends.set(made.token, allowance)
    return { token: made.token, until: Date.parse(made.expires_at) - renewBefore }
  }

  async function tokenOf(id: number, signal: AbortSignal): Promise<string> {
    const before = held.get(id)
    const known = await before?.catch(() => undefined)
    if (known !== undefined && now() < known.until) return known.token
    // Many that wait for one token make it once: who comes second finds another promise here.
    const other = held.get(id)
    const next = other !== undefined && other !== before ? other : make(id, signal)
    held.set(id, next)
    next.catch(() => held.delete(id))
    return (await next).token
  }

  const installed = async (owner: string, signal: AbortSignal): Promise<Installation | undefined> =>
    (await installations(signal)).find(({ account }) => account?.login.toLowerCase() === owner.toLowerCase())

  return {
    own,
    installations,
    allowance: (token) => spends.get(token),
    async of(owner, signal) {
      const found = await installed(owner, signal)
      return found === undefined ? undefined : tokenOf(found.id, signal)
    },
    async all(signal) {
      const found: string[] = []
      for (const org of organizations) {
        const one = await installed(org, signal)
        if (one !== undefined) found.push(await tokenOf(one.id, signal))
      }
      return found
    },
    forget(token) {
      for (const [id, one] of held) {
        void one.then(
          (known) => known.token === token && held.delete(id),
          () => undefined,
        )
      }
    },
  }
}

function parsedKey(app: NonNullable<GithubConfig['app']>): KeyObject {
  try {
    return keyOfApp(app)
  } catch {
    // Never the cause: it may quote the key.
    throw new CredentialRefused(
      'The private key of the App cannot be read.',
      'app.privateKey is the PEM file that GitHub gave, for example "${file:./app.pem}".',
    )
  }
}

function refusedApp(answer: Exclude<Answer, { state: 'ok' }>): CredentialRefused {
  const words = answer.state === 'refused' ? answer.message : 'unexpected 304'
  return new CredentialRefused(
    `GitHub refused the App: ${words}.`,
    'Check app.id, that app.privateKey is one of its keys, and the clock of this machine.',
  )
}
