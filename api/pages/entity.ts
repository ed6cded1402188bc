import type { EntityDetail, LinkIn } from '../../core/catalog/query/entity.ts'
import type { Explanation } from '../../core/catalog/query/explanation.ts'
import type { Blueprint } from '../../core/model/blueprint.ts'
import type { Json } from '../../core/model/json.ts'
import { historyList } from './history.ts'
import { type Html, html } from './html.ts'
import { ago, badge, count, entityLink, value } from './parts.ts'
import { explanationCard } from './why.ts'

export interface EntityPage {
  readonly entity: EntityDetail
  readonly blueprint: Blueprint | undefined
  readonly explanation: Explanation
  readonly now: number
}

export function entityPage({ entity, blueprint, explanation, now }: EntityPage): Html {
  const failed = new Map(entity.failed.map((problem) => [problem.field, problem]))
  const mark = (field: string): Html | undefined => {
    const problem = failed.get(field)
    if (problem === undefined) return undefined
    return html`<p class="why">${badge('kept', 'warn')} ${problem.message} <code>${problem.expression}</code></p>`
  }
  return html`<p class="crumb"><a href="/entities?blueprint=${encodeURIComponent(entity.blueprint)}">${entity.blueprint}</a></p>
<h1>${entity.title ?? entity.identifier} <span class="soft mono">${entity.identifier}</span></h1>
${entity.askedAs !== undefined && html`<p class="notice plain">${entity.askedAs} is called ${entity.reference} now.</p>`}
${entity.stub === true && html`<p class="notice plain"><b>A stub.</b> Relations lead to it, and no source has it. It goes when nothing refers to it any more.</p>`}
${
  entity.pinned !== undefined &&
  html`<div class="notice warn"><p><b>Pinned</b> by ${entity.pinned.who} ${ago(entity.pinned.at, now)}${entity.pinned.reason !== null && html`: ${entity.pinned.reason}`}.
  Its deletion was undone; the source does not show it, so this deviates from it.</p>${decisionForm('/unpin', 'End the pin', entity.reference)}</div>`
}
${
  entity.held > 0 &&
  html`<p class="notice warn"><b>${count(entity.held)} held.</b> A guard stopped a deletion or a change of it.
  <a href="/held">Look at what is held.</a></p>`
}
<div class="columns even">
<div>
<section class="card"><h2>Properties</h2>
<dl>
  ${entity.team.length > 0 && html`<dt>Team</dt><dd>${value(entity.team)}</dd>`}
  ${properties(entity, blueprint).map(([name, label, one]) => html`<dt>${label}</dt><dd>${value(one)}${mark(`properties.${name}`)}</dd>`)}
  ${absentMarks(entity)}
</dl></section>
<section class="card"><h2>Relations</h2>
${(entity.conflict ?? []).map((one) => html`<p class="why">${badge(one.wins ? 'heard' : 'not heard', 'warn')} claimed by ${one.source} ${one.kind} ${one.key}</p>`)}
${entity.dangling.map((one) => html`<p class="why">${badge(one.required ? 'required' : 'open', 'warn')} ${one.detail}</p>`)}
${entity.links.out.length === 0 && entity.links.in.length === 0 && html`<p class="soft">None.</p>`}
<dl>${grouped(entity.links.out).map(
    ([relation, links]) =>
      html`<dt>${relation} →</dt><dd>${links.map(
        (link) =>
          html`<div>${entityLink(link.reference, link.title)} ${link.state === 'missing' && badge('not in the catalog', 'unknown')}</div>`,
      )}</dd>`,
  )}
${grouped(entity.links.in).map(
  ([relation, links]) =>
    html`<dt>← ${relation}</dt><dd>${links.map((link) => html`<div>${entityLink(link.reference, link.title)}</div>`)}</dd>`,
)}</dl>
${entity.links.inTotal > entity.links.in.length && html`<p class="soft">The first ${entity.links.in.length} of ${count(entity.links.inTotal)} that point at it.</p>`}
</section>
</div>
<div>
${explanationCard(explanation)}
<section class="card"><h2>History</h2>${historyList(explanation.changes, entity.reference, now)}
<p class="soft">Revision ${entity.revision}, updated ${ago(entity.updatedAt, now)}, created ${ago(entity.createdAt, now)}.
${entity.aliases.length > 0 && `Formerly ${entity.aliases.join(', ')}.`}</p></section>
</div>
</div>`
}

/** In the order and with the titles of the blueprint; what it does not name comes last. */
function properties(
  entity: EntityDetail,
  blueprint: Blueprint | undefined,
): readonly (readonly [string, string, Json])[] {
  const known = Object.entries(blueprint?.schema.properties ?? {})
  const titles = new Map(known.map(([name, schema]) => [name, schema.title ?? name]))
  const names = new Set([...titles.keys(), ...Object.keys(entity.properties)])
  return [...names].flatMap((name) => {
    const one = Object.hasOwn(entity.properties, name) ? entity.properties[name] : undefined
    return one === undefined ? [] : [[name, titles.get(name) ?? name, one] as const]
  })
}

/** Fields that never had a good value are only a mark. */
function absentMarks(entity: EntityDetail): readonly Html[] {
  return entity.failed
    .filter((problem) => !(problem.field.replace(/^properties\./, '') in entity.properties))
    .map(
      (problem) =>
        html`<dt>${problem.field}</dt><dd class="why">${badge('failed', 'bad')} ${problem.message} <code>${problem.expression}</code></dd>`,
    )
}

function grouped<T extends LinkIn>(links: readonly T[]): readonly (readonly [string, readonly T[]])[] {
  return [...Map.groupBy(links, (link) => link.relation)]
}

/** For what is not there: the same question, the other answer. */
export function absentPage(explanation: Explanation, now: number): Html {
  return html`<h1>${explanation.reference} <span class="soft">${explanation.state.replaceAll('_', ' ')}</span></h1>
${explanationCard(explanation)}
${
  explanation.cause === 'deleted' &&
  explanation.entity !== undefined &&
  html`<section class="card"><p>Undo the deletion: it is back as it was, and pinned until its source shows it again.</p>
${decisionForm('/undo', 'Undo the deletion', explanation.entity.reference)}</section>`
}
${explanation.changes.length > 0 && html`<section class="card"><h2>History</h2>${historyList(explanation.changes, explanation.entity?.reference ?? explanation.reference, now)}</section>`}`
}

function decisionForm(action: string, label: string, reference: string): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="reference" value="${reference}"><button>${label}</button></form>`
}
