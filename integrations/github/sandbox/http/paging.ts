import type { Call } from './route.ts'

const wholeNumber = (text: string | null, fallback: number): number =>
  text !== null && /^\d+$/.test(text) && Number(text) > 0 ? Number(text) : fallback

export const pageOf = (query: URLSearchParams): number => wholeNumber(query.get('page'), 1)
const perPage = (query: URLSearchParams): number => Math.min(100, wholeNumber(query.get('per_page'), 30))

function link(call: Call, rel: string, set: Record<string, string | number>): string {
  const query = new URLSearchParams(call.query)
  for (const [name, value] of Object.entries(set)) query.set(name, String(value))
  return `<${call.base}${call.stablePath}?${query.toString()}>; rel="${rel}"`
}

/** One page of a listing with its Link header. Whatever the switchboard says goes wrong with listings goes wrong here. */
export function paged<T, B>(
  call: Call,
  items: readonly T[],
  shape: (item: T) => B,
): { status: 200; body: B[]; headers: Record<string, string> } {
  const { faults } = call.app
  const half = faults.take('half-listing', call.asked)
  const all = half ? items.slice(0, Math.floor(items.length * half.share)) : items
  const size = perPage(call.query)
  const page = pageOf(call.query)
  const last = Math.max(1, Math.ceil(all.length / size))
  const repeated = page > 1 && faults.take('repeat-page', call.asked) !== undefined
  const shown = repeated ? page - 1 : page
  const lost = faults.takeEmpty(call.asked)
  const body = lost ? [] : all.slice((shown - 1) * size, shown * size).map(shape)
  const loop = faults.take('cursor-loop', call.asked)
  const next = loop ? loop.to : page + (faults.takeSkip(call.asked) ? 2 : 1)
  const links: string[] = []
  if (page > 1) links.push(link(call, 'prev', { page: Math.min(page - 1, last) }))
  if (loop || next <= last) links.push(link(call, 'next', { page: next }))
  if (page < last) links.push(link(call, 'last', { page: last }))
  if (page > 1) links.push(link(call, 'first', { page: 1 }))
  return { status: 200, body, headers: links.length > 0 ? { Link: links.join(', ') } : {} }
}

/** The same where GitHub wraps a page into an object with the number of all. */
export function pagedIn<T, B, K extends string>(
  call: Call,
  items: readonly T[],
  shape: (item: T) => B,
  name: K,
): { status: 200; body: { total_count: number } & Record<K, B[]>; headers: Record<string, string> } {
  const { body, ...answer } = paged(call, items, shape)
  // One computed key; TypeScript takes it for any text.
  return { ...answer, body: { total_count: items.length, ...({ [name]: body } as Record<K, B[]>) } }
}

/** Newest first by a cursor named `after`, without page numbers: how GitHub lists Dependabot's alerts. */
export function after<T extends { readonly id: number }, B>(
  call: Call,
  newestFirst: readonly T[],
  shape: (item: T) => B,
): { status: 200; body: B[]; headers: Record<string, string> } {
  const size = perPage(call.query)
  const last = Number(Buffer.from(call.query.get('after') ?? '', 'base64url').toString() || Number.MAX_SAFE_INTEGER)
  const from = newestFirst.filter((item) => item.id < last)
  const end = from[size - 1]
  const more = from.length > size && end !== undefined
  const next = more ? { Link: link(call, 'next', { after: Buffer.from(String(end.id)).toString('base64url') }) } : {}
  return { status: 200, body: from.slice(0, size).map(shape), headers: next }
}

/** Newest first, by cursor: how GitHub lists deliveries. */
export function byCursor<T extends { id: number }, B>(
  call: Call,
  newestFirst: readonly T[],
  shape: (item: T) => B,
): { status: 200; body: B[]; headers: Record<string, string> } {
  const cursor = /^v1_(\d+)$/.exec(call.query.get('cursor') ?? '')?.[1]
  const from = cursor === undefined ? newestFirst : newestFirst.filter((item) => item.id <= Number(cursor))
  const size = perPage(call.query)
  const after = from[size]
  const body = from.slice(0, size).map(shape)
  return { status: 200, body, headers: after ? { Link: link(call, 'next', { cursor: `v1_${after.id}` }) } : {} }
}
