import type { BlueprintView } from '../../core/catalog/query/blueprints.ts'
import { candidates } from '../../core/catalog/query/entities.ts'
import type { EntityFreshness } from '../../core/catalog/query/entity-freshness.ts'
import type { EntityView } from '../../core/catalog/query/view.ts'
import type { CatchmentError } from '../../core/sdk/index.ts'
import { type Html, html } from './html.ts'
import { ago, count, entityPath, freshnessBadge } from './parts.ts'

export interface Results {
  readonly q: string | undefined
  readonly blueprint: string | undefined
  readonly items: readonly (EntityView & EntityFreshness)[]
  readonly next?: string
  readonly total?: number
  readonly truncated?: true
  /** The line cannot be read. */
  readonly mistake?: CatchmentError
  readonly blueprints: readonly BlueprintView[]
  readonly now: number
}

/** Such a line names nothing that could be explained. */
const conditional = /(?:^|\s)-?(?:is|has|sort|source|team|title|blueprint|identifier|created|updated):/i

export function resultsPage(results: Results): Html {
  const { q, blueprint, items, next, total, mistake, now } = results
  const shown = results.blueprints.filter((one) => one.entities > 0 || one.identifier === blueprint)
  return html`<nav class="filter" aria-label="Blueprint">${filter('All', undefined, results)}
  ${shown.map((one) => filter(`${one.title ?? one.identifier} ${count(one.entities)}`, one.identifier, results))}</nav>
<section class="card">
  ${mistake !== undefined && html`<p><b>${mistake.message}</b></p><p>${mistake.hint ?? ''}</p>`}
  ${total !== undefined && items.length > 0 && html`<p class="soft">${count(total)} found</p>`}
  ${
    items.length === 0 &&
    mistake === undefined &&
    html`<p>Nothing found${q !== undefined && html` for <b>${q}</b>`}.
    ${q !== undefined && !conditional.test(q) && html`<a href="/explain?reference=${encodeURIComponent(q)}">Ask why it is not here.</a>`}</p>`
  }
  ${
    items.length > 0 &&
    html`<table class="stack"><thead><tr><th>Entity</th><th>Title</th><th>Blueprint</th><th>Team</th><th>Updated</th></tr></thead>
  <tbody>${items.map(
    (
      entity,
    ) => html`<tr><th scope="row" data-label="Entity"><a href="${entityPath(entity.reference)}">${entity.identifier}</a></th>
    <td data-label="Title">${entity.title ?? ''} ${entity.freshness !== 'fresh' && freshnessBadge(entity.freshness)}</td><td data-label="Blueprint" class="soft">${entity.blueprint}</td>
    <td data-label="Team">${entity.team.join(', ')}</td><td data-label="Updated">${ago(entity.updatedAt, now)}</td></tr>`,
  )}</tbody></table>`
  }
  ${results.truncated === true && html`<p class="soft">These words match more than ${count(candidates)} entities; the best of so many are shown. More words narrow it.</p>`}
  ${next !== undefined && html`<p><a class="button" href="${address(q, blueprint, next)}">More</a></p>`}
  <details><summary class="soft">How to search</summary>
    <p><code>blueprint:service team:payments -has:codeowners language:go "free text" sort:-updated</code></p>
    <p class="soft">Words, and conditions side by side; <code>-</code> in front for not, <code>OR</code> and parentheses. <code>stars:&gt;10</code>,
    <code>updated:&lt;7d</code>, <code>title:web*</code>, <code>has:NAME</code>, <code>is:unknown</code>; a relation by its name: <code>domain:payments</code>.</p>
  </details>
</section>`
}

function filter(label: string, blueprint: string | undefined, results: Results): Html {
  const current = results.blueprint === blueprint
  return html`<a href="${address(results.q, blueprint)}"${current && html` aria-current="true"`}>${label}</a> `
}

function address(q: string | undefined, blueprint: string | undefined, cursor?: string): string {
  const query = new URLSearchParams()
  if (q !== undefined) query.set('q', q)
  if (blueprint !== undefined) query.set('blueprint', blueprint)
  if (cursor !== undefined) query.set('cursor', cursor)
  return `/entities?${query.toString()}`
}
