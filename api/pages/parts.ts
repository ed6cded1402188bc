import type { ChangeView } from '../../core/catalog/query/changes.ts'
import { duration, type Freshness } from '../../core/catalog/query/freshness.ts'
import { parseReference } from '../../core/model/entity.ts'
import type { Json } from '../../core/model/json.ts'
import { causeText } from '../cause.ts'
import { type Html, html } from './html.ts'

export function entityPath(reference: string): string {
  const name = parseReference(reference)
  if (name === undefined) return '/entities'
  return `/entities/${encodeURIComponent(name.blueprint)}/${encodeURIComponent(name.identifier)}`
}

export function entityLink(reference: string, title?: string | null): Html {
  const name = parseReference(reference)
  const named = title !== null && title !== undefined && title !== name?.identifier
  return html`<a href="${entityPath(reference)}">${reference}</a>${named && html` <span class="soft">${title}</span>`}`
}

const signs = { fresh: 'ok', stale: 'warn', unknown: 'unknown' } as const

export function freshnessBadge(freshness: Freshness): Html {
  return badge(freshness, signs[freshness])
}

export function badge(text: string, kind: 'ok' | 'warn' | 'bad' | 'unknown' | 'plain'): Html {
  return html`<span class="badge ${kind}">${text}</span>`
}

/** `12 min ago`, with the exact time on the pointer. */
export function ago(iso: string | null, now: number): Html {
  if (iso === null) return html`<span class="soft">never</span>`
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000)
  return html`<time datetime="${iso}" title="${iso}">${duration(seconds)} ago</time>`
}

export function count(number: number): string {
  return number.toLocaleString('en')
}

export const operations = { created: 'ok', updated: 'plain', renamed: 'warn', deleted: 'bad', restored: 'ok' } as const

export function changeItem(change: ChangeView, now: number): Html {
  return html`<li>${badge(change.operation, operations[change.operation])}
    <span class="grow"><a href="${entityPath(change.reference)}">${change.reference}</a>
    <span class="soft">${causeText(change.cause)}${changedFields(change)}</span></span>
    ${ago(change.at, now)}</li>`
}

function changedFields(change: ChangeView): string {
  if (change.patch === null) return ''
  const [before] = Array.isArray(change.patch['identifier']) ? change.patch['identifier'] : []
  if (typeof before === 'string') return `, formerly ${before}`
  if (change.operation !== 'updated') return ''
  const fields = Object.keys(change.patch).map((field) => field.replace(/^properties\./, ''))
  return `: ${fields.slice(0, 4).join(', ')}${fields.length > 4 ? ' …' : ''}`
}

/** A property's value: addresses as links, lists of words side by side, anything deeper as JSON. */
export function value(json: Json): Html {
  if (json === null || json === '') return html`<span class="soft">–</span>`
  if (typeof json === 'string') {
    if (/^https?:\/\//i.test(json) && URL.canParse(json)) return html`<a href="${json}" rel="noreferrer">${json}</a>`
    if (/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(json)) return html`<time datetime="${json}">${json}</time>`
    return html`${json}`
  }
  if (typeof json === 'number' || typeof json === 'boolean') return html`<code>${String(json)}</code>`
  if (Array.isArray(json) && json.every((item) => typeof item !== 'object')) {
    return json.length === 0
      ? html`<span class="soft">none</span>`
      : html`${json.map((item) => html`<span class="chip">${String(item)}</span> `)}`
  }
  return html`<pre>${JSON.stringify(json, undefined, 2)}</pre>`
}
