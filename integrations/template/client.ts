import { BadAnswer, type Json, PRIORITY_HEADER, type Priority, parseJson, type Tools } from '../../core/sdk/index.ts'
import type { TemplateConfig } from './schema.ts'

/** Statuses that mean "wait" or "broken" never get here: `tools.fetch` throws for them. */
export type Answer =
  | { readonly state: 'ok'; readonly data: Json; readonly etag?: string }
  | { readonly state: 'notModified' }
  | { readonly state: 'refused'; readonly status: number; readonly reason: string }

export interface AskOptions {
  readonly signal: AbortSignal
  /** A listing says `scan`, so that it stops before the allowance of others is eaten. */
  readonly priority?: Priority
  readonly etag?: string | undefined
}

export type Ask = (path: string, options: AskOptions) => Promise<Answer>

export function createClient(config: TemplateConfig, tools: Tools): Ask {
  const base = config.baseUrl.replace(/\/+$/, '')
  return async (path, { signal, priority = 'live', etag }) => {
    const response = await tools.fetch(`${base}${path}`, {
      signal,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${config.token}`,
        [PRIORITY_HEADER]: priority,
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
      },
    })
    if (response.status === 304) return { state: 'notModified' }
    if (!response.ok) {
      return { state: 'refused', status: response.status, reason: `${path} answered ${response.status}` }
    }
    const tag = response.headers.get('etag')
    return { state: 'ok', data: parse(await response.text(), path), ...(tag === null ? {} : { etag: tag }) }
  }
}

function parse(text: string, path: string): Json {
  try {
    return parseJson(text)
  } catch {
    throw new BadAnswer(`${path}: the answer is not valid JSON`)
  }
}
