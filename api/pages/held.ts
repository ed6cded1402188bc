import type { HeldView } from '../../core/catalog/query/held.ts'
import { type Html, html } from './html.ts'
import { ago, count, entityLink } from './parts.ts'

export interface HeldPage {
  readonly items: readonly HeldView[]
  readonly more: boolean
  readonly now: number
}

export function heldPage({ items, more, now }: HeldPage): Html {
  const groups = Map.groupBy(items, (item) => JSON.stringify([item.source, item.kind]))
  return html`<h1>Held</h1>
<p class="lead">A guard stopped what would take unusually much away: a source that suddenly lists less, a permission that hides things, a
mapping that no longer selects. Nothing of it has happened. <b>Approve</b> what is truly gone; <b>reject</b> what should stay until it is
seen again. What the source lists again leaves this page by itself.</p>
${items.length === 0 && html`<section class="card"><p>Nothing is held.</p></section>`}
${[...groups.values()].map((group) => groupCard(group, more, now))}
${more && html`<p class="soft">More is held than is shown; decide on these first, or on all of a kind at once.</p>`}`
}

function groupCard(items: readonly HeldView[], more: boolean, now: number): Html {
  const [first] = items
  if (first === undefined) return html``
  const all = more ? 'all' : `all ${count(items.length)}`
  return html`<section class="card"><h2>${first.source} <span class="soft">${first.kind}</span></h2>
<div class="actions">${bulkForm('approve', `Approve ${all}`, first)}${bulkForm('reject', `Reject ${all}`, first)}</div>
<table class="stack"><thead><tr><th>Entity</th><th>What would go</th><th>Why it was held</th><th>Since</th><th></th></tr></thead>
<tbody>${items.map(
    (
      item,
    ) => html`<tr><th scope="row" data-label="Entity">${item.entities.length === 0 ? item.key : item.entities.map((one) => html`<div>${entityLink(one)}</div>`)}</th>
  <td data-label="What would go">${what(item)}</td><td data-label="Why">${item.reason}</td><td data-label="Since">${ago(item.heldAt, now)}</td>
  <td><div class="actions">${form(`/held/${item.id}/approve`, 'Approve')}${form(`/held/${item.id}/reject`, 'Reject')}</div></td></tr>`,
  )}</tbody></table></section>`
}

function what(item: HeldView): string {
  const [kind, ...rest] = item.what.split(' ')
  if (kind === 'presence') return `all of it: ${item.partition ?? 'its partition'} does not list it any more`
  if (kind === 'property') return `its ${rest.join(' ').split('/').slice(2).join('/')}`
  if (kind === 'dependent') return 'all of it: what it depends on was deleted'
  return `what mapping ${rest.join(' ')} says of it`
}

function form(action: string, label: string): Html {
  return html`<form method="post" action="${action}"><button>${label}</button></form>`
}

/** Folded away, so that one slip does not decide about a thousand. */
function bulkForm(verb: 'approve' | 'reject', label: string, of: HeldView): Html {
  return html`<details><summary class="button">${label} …</summary><form method="post" action="/held/${verb}">
<input type="hidden" name="source" value="${of.source}"><input type="hidden" name="kind" value="${of.kind}">
<p>${verb === 'approve' ? 'They are taken out of the catalog.' : 'They stay until they are seen again.'}</p>
<button class="strong">${label} ${of.kind} of ${of.source}</button></form></details>`
}
