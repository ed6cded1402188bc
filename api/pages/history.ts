import type { ChangeView } from '../../core/catalog/query/changes.ts'
import type { Json, JsonObject } from '../../core/model/json.ts'
import { causeText } from '../cause.ts'
import { type Html, html } from './html.ts'
import { ago, badge, entityLink, operations } from './parts.ts'

/** Fields of one version before the rest is only counted. */
const most = 8
/** Characters of a value. */
const longest = 160

/** Versions, newest first: what made each, and what it was before and became, field by field. */
export function historyList(changes: readonly ChangeView[], reference: string, now: number): Html {
  return html`<ol class="list history">${changes.map(
    (change) => html`<li>${badge(change.operation, operations[change.operation])}
    <div class="grow">${change.reference !== reference && entityLink(change.reference)} <span class="soft">${causeText(change.cause)}</span>
    ${fieldsOf(change)}</div>
    ${ago(change.at, now)}</li>`,
  )}</ol>`
}

function fieldsOf({ operation, patch }: ChangeView): Html | undefined {
  if (patch === null || operation === 'deleted') return undefined
  const fields = Object.entries(patch)
  return html`<ul class="diff">${fields.slice(0, most).map(([field, values]) => {
    const [before = null, after = null] = Array.isArray(values) ? (values as readonly Json[]) : []
    return html`<li><b>${field.replace(/^properties\./, '')}</b> ${turned(before, after)}</li>`
  })}${fields.length > most && html`<li class="soft">and ${fields.length - most} more</li>`}</ul>`
}

/** Of lists only what left and what came, unless nothing but their order differs. */
function turned(before: Json, after: Json): Html {
  if (isPlainList(before) && isPlainList(after)) {
    const [left, came] = [before.filter((one) => !after.includes(one)), after.filter((one) => !before.includes(one))]
    if (left.length + came.length > 0)
      return html`${left.map((one) => html`<del>${text(one)}</del> `)}${came.map((one) => html`<ins>${text(one)}</ins> `)}`
  }
  return html`${before === null ? html`<span class="soft">nothing</span>` : html`<del>${text(before)}</del>`} →
    ${after === null ? html`<span class="soft">nothing</span>` : html`<ins>${text(after)}</ins>`}`
}

function isPlainList(json: Json): json is readonly (string | number | boolean | null)[] {
  return Array.isArray(json) && json.every((one: Json | JsonObject) => typeof one !== 'object' || one === null)
}

function text(json: Json): string {
  const whole = typeof json === 'string' ? json : isPlainList(json) ? json.join(', ') : JSON.stringify(json)
  return whole.length > longest ? `${whole.slice(0, longest).trimEnd().toWellFormed()}…` : whole
}
