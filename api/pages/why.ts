import type { Explanation } from '../../core/catalog/query/explanation.ts'
import { type Html, html } from './html.ts'
import { badge, entityLink, freshnessBadge } from './parts.ts'

/** Why something is in the catalog or is not: summary, what to do next, and the evidence. */
export function explanationCard(explanation: Explanation): Html {
  return html`<section class="card"><h2>Why</h2>
<p>${explanation.summary}</p>
${explanation.notes.length > 0 && html`<ul class="notes">${explanation.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${explanation.next.length > 0 && html`<p class="soft">Next: ${explanation.next.map((one, index) => html`${index > 0 && ' · '}<code>${one}</code>`)}</p>`}
${explanation.candidates.length > 0 && explanation.state !== 'record' && html`<p>See ${explanation.candidates.map((one) => html`${entityLink(one)} `)}</p>`}
${explanation.fields.length > 0 && fieldsTable(explanation.fields)}
${explanation.contributions.map(
  (one) => html`<div class="evidence">
  <p><b>${one.source}</b> ${one.kind} <a class="mono" href="${recordPath(one)}">${one.key}</a>
    ${one.recordState === 'gone' && badge('gone', 'bad')} ${!one.owning && badge('adds fields only', 'plain')}</p>
  <p class="soft">Mapping <code>${one.mapping}</code>, item <code>${one.item}</code>, version ${one.mappingVersion}${one.version !== null && html`, seen as of <code>${one.version}</code>`}</p>
  ${one.partitions.map(
    (
      partition,
    ) => html`<p class="soft">${partition.name}: ${partition.present ? 'present' : 'no longer present'}${partition.scan !== null && `, last complete scan ${partition.scan}`}
    ${partition.state === 'unknown' && html`${badge('unknown', 'unknown')} ${partition.reason ?? ''}`}</p>`,
  )}
  ${one.problems.map((problem) => html`<p class="why">${badge(problem.field, 'warn')} ${problem.message} <code>${problem.expression}</code></p>`)}
  </div>`,
)}
${explanation.records.map(
  (
    record,
  ) => html`<div class="evidence"><p><b>${record.source}</b> ${record.kind} <a class="mono" href="${recordPath(record)}">${record.key}</a>
  ${record.state === 'gone' && badge('gone', 'bad')}</p>
  ${record.feeds.length > 0 && html`<p>Feeds ${record.feeds.map((feed) => html`${entityLink(feed)} `)}</p>`}
  ${record.mappings.map(
    (mapping) => html`<p class="soft"><code>${mapping.mapping}</code>: ${mapping.outcome}
    ${mapping.expression !== undefined && html`because <code>${mapping.expression}</code> is false`}${mapping.problem !== undefined && html`<code>${mapping.problem.expression}</code>: ${mapping.problem.message}`}</p>`,
  )}</div>`,
)}
</section>`
}

function recordPath(record: { readonly source: string; readonly kind: string; readonly key: string }): string {
  return `/api/v1/records/${[record.source, record.kind, record.key].map(encodeURIComponent).join('/')}`
}

/** What all fields share is said once. */
function fieldsTable(fields: Explanation['fields']): Html {
  const from = new Set(fields.map(({ source, kind, key }) => `${source} ${kind} ${key}`))
  const states = new Set(fields.map(({ freshness }) => freshness))
  const [origin = ''] = from
  const [state = 'unknown'] = states
  const shared = from.size === 1 && states.size === 1
  return html`${shared && html`<p class="soft">Every field is from ${origin}: ${freshnessBadge(state)}</p>`}
<table class="stack fields"><thead><tr><th>Field</th><th>Expression</th>${!shared && html`<th>From</th><th>State</th>`}</tr></thead>
<tbody>${fields.map(
    (one) => html`<tr><th scope="row" data-label="Field">${one.field}</th>
<td data-label="Expression"><code>${one.expression ?? one.mapping}</code> <span class="soft">${one.file !== undefined && `${one.file}:${one.line ?? ''}`}</span></td>${
      !shared &&
      html`<td data-label="From">${one.source} ${one.kind} ${one.key}</td><td data-label="State">${freshnessBadge(one.freshness)}</td>`
    }</tr>`,
  )}</tbody></table>`
}
