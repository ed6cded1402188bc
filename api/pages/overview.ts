import { statusLines } from '../../core/catalog/query/attention.ts'
import type { BlueprintView } from '../../core/catalog/query/blueprints.ts'
import type { ChangeView } from '../../core/catalog/query/changes.ts'
import { duration } from '../../core/catalog/query/freshness.ts'
import type { KindView, PartitionView, SourceView } from '../../core/catalog/query/sources.ts'
import { isObject } from '../../core/model/json.ts'
import { type Html, html } from './html.ts'
import { ago, badge, changeItem, count, freshnessBadge } from './parts.ts'
import { pendingNotice } from './pending.ts'

export interface Overview {
  readonly sources: readonly SourceView[]
  readonly blueprints: readonly BlueprintView[]
  readonly changes: readonly ChangeView[]
  readonly now: number
}

export function overviewPage(overview: Overview): Html {
  return html`<div class="columns">
<div>
  <div data-refresh="/parts/overview">${overviewParts(overview)}</div>
</div>
<section class="feed" aria-label="Changes">
  <h2>Changes <span class="soft" data-live></span></h2>
  <ol data-feed>${overview.changes.map((change) => changeItem(change, overview.now))}</ol>
  ${overview.changes.length === 0 && html`<p class="soft" data-empty>Nothing has happened yet.</p>`}
</section>
</div>`
}

/** What the page fetches anew while it is open. */
export function overviewParts({ sources, blueprints, now }: Overview): Html {
  return html`${
    sources.length === 0 &&
    html`<section class="card"><h2>No sources yet</h2>
<p>Name one in catchment.yaml, or start without a file to see the sandbox organisation.</p></section>`
  }
${sources.length > 0 && statusCard(sources, now)}
${sources.map((source) => sourceCard(source, now))}
<section class="card"><h2>Catalog</h2>
  ${blueprints.every(({ entities }) => entities === 0) && html`<p class="soft">Empty until the first scan.</p>`}
  <ul class="counts">${blueprints
    .filter(({ entities }) => entities > 0)
    .map(
      (
        blueprint,
      ) => html`<li><a href="/entities?blueprint=${encodeURIComponent(blueprint.identifier)}"><b>${count(blueprint.entities)}</b>
    ${blueprint.title ?? blueprint.identifier}</a></li>`,
    )}</ul>
</section>`
}

/** The same lines as `catchment status`. */
function statusCard(sources: readonly SourceView[], now: number): Html {
  const lines = sources.flatMap((source) => statusLines(source, now))
  const healthy = !lines.some(({ unhealthy }) => unhealthy)
  return html`<section class="card"><h2>Status ${healthy ? badge('healthy', 'ok') : badge('not healthy', 'bad')}</h2>
  <table class="stack status"><thead><tr><th>Source</th><th>Kind</th><th class="number">Records</th><th>State</th><th>Next</th></tr></thead>
  <tbody>${lines.map(
    (
      line,
    ) => html`<tr><th scope="row" data-label="Source">${line.source}</th><td data-label="Kind">${line.kind ?? ''}</td>
    <td class="number" data-label="Records">${line.records !== null && count(line.records)}</td>
    <td data-label="State">${line.records === null ? html`<b>${line.text}</b>` : line.text}</td>
    <td data-label="Next">${line.next.startsWith('catchment ') ? html`<code>${line.next}</code>` : line.next}</td></tr>`,
  )}</tbody></table></section>`
}

function sourceCard(source: SourceView, now: number): Html {
  const held = source.kinds.reduce((sum, kind) => sum + kind.held, 0)
  const quarantined = source.kinds.reduce((sum, kind) => sum + kind.quarantined, 0)
  const pinned = source.kinds.reduce((sum, kind) => sum + kind.pinned, 0)
  const { waiting, lagSeconds, dead } = source.deliveries
  return html`<section class="card">
  <h2>${source.name} ${freshnessBadge(source.freshness)} ${source.state === 'frozen' && badge('frozen', 'unknown')}
    <span class="soft">${source.integration}${source.identity !== null && ` as ${source.identity}`}</span></h2>
  ${source.pausedUntil !== null && html`<p class="notice">Parked until ${source.pausedUntil.slice(11, 19)} UTC: the rate limit is used up. It goes on by itself.</p>`}
  ${pendingNotice(source)}
  ${source.problem !== null && html`<p class="notice bad">${problemText(source.problem)}</p>`}
  ${
    held > 0 &&
    html`<p class="notice warn"><b>${count(held)} held.</b> A guard stopped what would take this much away.
    <a href="/held?source=${encodeURIComponent(source.name)}">Look, then approve or reject.</a></p>`
  }
  ${
    pinned > 0 &&
    html`<p class="notice warn"><b>${count(pinned)} pinned.</b> People keep what the source does not show.
    <a href="/api/v1/pins">See which.</a></p>`
  }
  ${
    quarantined > 0 &&
    html`<p class="notice warn"><b>${count(quarantined)} quarantined.</b> A mapping failed on them, or they could not be read; what they said before is kept.
    <a href="/api/v1/quarantine?source=${encodeURIComponent(source.name)}">See why.</a></p>`
  }
  ${
    dead > 0 &&
    html`<p class="notice warn"><b>${count(dead)} deliveries set aside.</b>
    <a href="/api/v1/deliveries?state=dead&amp;source=${encodeURIComponent(source.name)}">See why.</a></p>`
  }
  ${waiting > 0 && html`<p class="soft">${count(waiting)} deliveries wait, the oldest since ${duration(lagSeconds)}.</p>`}
  <table class="stack sources"><thead><tr><th>Kind</th><th>Partition</th><th>State</th><th>Last complete scan</th><th class="number">Records</th></tr></thead>
  <tbody>${source.kinds.map((kind) => kindRows(kind, now))}</tbody></table>
</section>`
}

/** Beyond so many, only the partitions that need attention are listed. */
const listed = 6

function kindRows(kind: KindView, now: number): Html {
  const { partitions } = kind
  const shown = partitions.length <= listed ? partitions : partitions.filter(needsAttention).slice(0, 20)
  const rest = partitions.length - shown.length
  const first = html`<th scope="row" data-label="Kind">${kind.name}</th>`
  if (partitions.length === 0) {
    return html`<tr>${first}<td data-label="Partition" class="soft">none yet</td><td data-label="State">${freshnessBadge('unknown')}</td>
    <td data-label="Last complete scan" class="soft">never</td><td class="number" data-label="Records">${count(kind.records)}</td></tr>`
  }
  return html`${shown.map((partition, index) => partitionRow(partition, kind, index === 0, now))}
  ${
    rest > 0 &&
    html`<tr>${shown.length === 0 ? first : html`<th></th>`}<td data-label="Partition" colspan="3">${freshnessBadge(shown.length === 0 ? kind.freshness : 'fresh')}
    ${count(rest)} ${shown.length === 0 ? 'partitions' : 'more'}</td><td class="number" data-label="Records">${shown.length === 0 && count(kind.records)}</td></tr>`
  }`
}

function needsAttention(partition: PartitionView): boolean {
  return partition.freshness !== 'fresh' || partition.scan?.progress !== null
}

function partitionRow(partition: PartitionView, kind: KindView, first: boolean, now: number): Html {
  return html`<tr>${first ? html`<th scope="row" data-label="Kind">${kind.name}</th>` : html`<th></th>`}
  <td data-label="Partition">${partition.name}</td>
  <td data-label="State">${freshnessBadge(partition.freshness)} ${partition.held > 0 && badge(`${count(partition.held)} held`, 'warn')} ${scanState(partition, now)}
    ${lastScan(partition)}
    ${partition.reason !== undefined && html`<p class="why">${partition.reason}${partition.advice !== undefined && html` <b>${partition.advice}</b>`}</p>`}</td>
  <td data-label="Last complete scan">${ago(partition.completeAt, now)}</td>
  <td class="number" data-label="Records">${first && count(kind.records)}</td></tr>`
}

/** A scan that failed while the one before is still fresh enough: no reason to worry yet, but to know. */
function lastScan({ scan, freshness }: PartitionView): Html | undefined {
  if (scan === null || freshness !== 'fresh' || scan.state !== 'incomplete') return undefined
  return html`<p class="why">The last scan is incomplete and proved nothing: ${scan.reason ?? 'no reason was given'}</p>`
}

function scanState({ scan }: PartitionView, now: number): Html | undefined {
  if (scan === null || scan.progress === null) return undefined
  if (scan.parkedUntil !== null) {
    const wait = Math.max(0, (Date.parse(scan.parkedUntil) - now) / 1000)
    return html`<span class="soft">parked: the source asked us to wait ${duration(wait)}</span>`
  }
  const { share, rate, endsAt } = scan.progress
  const left = endsAt === null ? undefined : Math.max(0, (Date.parse(endsAt) - now) / 1000)
  return html`<span class="scan" data-running>${share === null ? html`<progress></progress>` : html`<progress value="${share}" max="1"></progress>`}
    <span class="soft">${count(scan.items)}${scan.expected !== null && ` of ${count(scan.expected)}`}, ${rate}/s${left !== undefined && `, ${duration(left)} left`}</span></span>`
}

function problemText(problem: SourceView['problem']): string {
  if (!isObject(problem)) return JSON.stringify(problem)
  const { message, hint } = { message: problem['message'], hint: problem['hint'] }
  if (typeof message !== 'string') return JSON.stringify(problem)
  return typeof hint === 'string' ? `${message} ${hint}` : message
}
