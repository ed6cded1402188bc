import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CatchmentError } from '../core/sdk/index.ts'

/**
 * Who may call a route. `open`: anybody (webhooks prove themselves by their signature, the login form has no secret);
 * `local`: anybody on this machine, others with the key; `key`: the admin key or a browser session; `page`: the same, and
 * a one-use token in the address opens a session.
 */
export type Level = 'open' | 'local' | 'key' | 'page'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Default: `key`. */
    access?: Level
  }
  interface FastifyRequest {
    /** Who was let in, for decisions that are written down. Empty when nobody had to be. */
    who: string
  }
}

export interface Access {
  /** The one place where a request is authorised. Throws `unauthenticated` (401) and `cross_site` (403). */
  authorise(request: FastifyRequest, reply: FastifyReply, level: Level): void
  /** A one-use token: the first page opened with `?token=` gets a session. */
  loginToken(): string
  /** Opens a session when the key is right. */
  login(key: string, reply: FastifyReply): boolean
}

/** Sessions and tokens live as long as the process. `cookie`: cookies do not know ports, so the port is in its name. */
export function createAccess(options: { readonly adminKey: string; readonly port: number }): Access {
  const cookie = `catchment_session_${options.port}`
  const key = digest(options.adminKey)
  const tokens = new Set<string>()
  const sessions = new Set<string>()

  const openSession = (reply: FastifyReply): void => {
    const session = randomBytes(32).toString('base64url')
    sessions.add(digest(session).toString('hex'))
    void reply.header('set-cookie', `${cookie}=${session}; Path=/; HttpOnly; SameSite=Strict`)
  }
  const hasSession = (request: FastifyRequest): boolean => {
    const value = readCookie(request.headers.cookie, cookie)
    return value !== undefined && sessions.has(digest(value).toString('hex'))
  }

  return {
    authorise(request, reply, level) {
      if (level === 'open') return
      const bearer = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
      if (bearer !== undefined) {
        if (!timingSafeEqual(digest(bearer.trim()), key)) throw unauthenticated('The key is not the admin key.')
        request.who = 'admin key'
        return
      }
      if (hasSession(request)) {
        if (!isSafe(request.method) && !sameOrigin(request)) throw crossSite()
        request.who = 'browser session'
        return
      }
      if (level === 'page' && request.method === 'GET') {
        const { token } = queryOf(request)
        if (token !== undefined && tokens.delete(digest(token).toString('hex'))) {
          openSession(reply)
          request.who = 'browser session'
          return
        }
        throw unauthenticated(token === undefined ? 'Nobody is logged in.' : 'This login link was used before.')
      }
      if (level === 'local' && isLocal(request)) return
      throw unauthenticated('The request carries no key.')
    },
    loginToken() {
      const token = randomBytes(24).toString('base64url')
      tokens.add(digest(token).toString('hex'))
      return token
    },
    login(given, reply) {
      if (!timingSafeEqual(digest(given.trim()), key)) return false
      openSession(reply)
      return true
    },
  }
}

/** Digests have one length, which is what the constant-time comparison wants, and memory holds no usable token. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function queryOf(request: FastifyRequest): { readonly token: string | undefined } {
  const token = new URLSearchParams(request.url.split('?')[1] ?? '').get('token')
  return { token: token ?? undefined }
}

function readCookie(header: string | undefined, name: string): string | undefined {
  const pair = (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** Browsers say where a request comes from; one that does not say may not change anything with a cookie. */
export function sameOrigin(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin, host } = request.headers
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false
  const { protocol, host: from } = new URL(origin)
  // Parsed alike, so that a port that goes without saying does not matter.
  const here = `${protocol}//${host}`
  return URL.canParse(here) && new URL(here).host === from
}

/** A proxy or tunnel on this machine also comes from here, but names another host or the one it speaks for. */
function isLocal(request: FastifyRequest): boolean {
  if (request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined) return false
  const host = request.hostname.replace(/^\[|\]$/g, '')
  if (request.headers.host !== undefined && isIP(host) === 0 && host !== 'localhost') return false
  return /^(?:127\.|::1$|::ffff:127\.)/.test(request.ip)
}

function unauthenticated(message: string): CatchmentError {
  return new CatchmentError(message, {
    code: 'unauthenticated',
    status: 401,
    hint: 'Send "Authorization: Bearer KEY" with the key in .catchment/admin-key, or open the address that the start prints.',
  })
}

export function crossSite(): CatchmentError {
  return new CatchmentError('A page of another site tried to change something.', {
    code: 'cross_site',
    status: 403,
    hint: 'Do it on the page of this server itself, or with the admin key.',
  })
}
