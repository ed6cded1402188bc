import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** Weak, and different for every token, as on GitHub (`Vary: Authorization`). */
export const etagOf = (body: string, tokenId: number | undefined): string =>
  `W/"${hash('sha256', `${tokenId ?? 0}\n${body}`)}"`

const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')

/** True where the answer is 304: by tag if one is sent, else by date. */
export function unchanged(headers: IncomingHttpHeaders, etag: string, lastModified: string | undefined): boolean {
  const tags = headers['if-none-match']
  if (tags !== undefined) return tags.trim() === '*' || tags.split(',').some((tag) => opaque(tag) === opaque(etag))
  const since = headers['if-modified-since']
  return since !== undefined && lastModified !== undefined && Date.parse(lastModified) <= Date.parse(since)
}
