import { BadAnswer, type Json, PRIORITY_HEADER, type Priority, parseJson, type Tools } from '../../core/sdk/index.ts'

/** Statuses that mean "wait" or "broken" never get here: `tools.fetch` throws for them. */
export type Answer =
  | { readonly state: 'ok'; readonly data: Json; readonly validator?: string }
  | { readonly state: 'notModified' }
  | { readonly state: 'refused'; readonly reason: string }

/** Asks for a file of the API below this address. `known` is the validator of an earlier answer. */
export type Ask = (address: string, signal: AbortSignal, priority?: Priority, known?: string) => Promise<Answer>

export function createClient(tools: Tools): Ask {
  return async (address, signal, priority = 'live', known) => {
    const condition = known === undefined ? {} : { 'if-none-match': known }
    const headers = { accept: 'application/json', [PRIORITY_HEADER]: priority, ...condition }
    const response = await tools.fetch(address, { signal, headers })
    if (response.status === 304 && known !== undefined) return { state: 'notModified' }
    if (!response.ok) return { state: 'refused', reason: `${address} answered ${response.status}` }
    const etag = response.headers.get('etag')
    return { state: 'ok', data: parse(await response.text(), address), ...(etag === null ? {} : { validator: etag }) }
  }
}

function parse(text: string, address: string): Json {
  try {
    return parseJson(text)
  } catch {
    throw new BadAnswer(`${address}: the answer is not valid JSON`)
  }
}
