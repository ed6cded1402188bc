import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Api } from '../context.ts'

const types = {
  'style.css': 'text/css; charset=utf-8',
  'parts.css': 'text/css; charset=utf-8',
  'narrow.css': 'text/css; charset=utf-8',
  'feed.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** Style, script and icon, read once. They hold no secrets, and the login form needs them. */
export function assetRoutes(app: Api): void {
  for (const [name, type] of Object.entries(types)) {
    const content = readFileSync(new URL(name, import.meta.url))
    const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 16)}"`
    app.get(`/assets/${name}`, { config: { access: 'open' }, schema: { hide: true } }, async (request, reply) => {
      void reply.headers({ 'cache-control': 'no-cache', etag: tag })
      if (request.headers['if-none-match'] === tag) return reply.code(304).send()
      return reply.type(type).send(content)
    })
  }
}
