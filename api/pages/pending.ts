import type { SourceView } from '../../core/catalog/query/sources.ts'
import { type Html, html } from './html.ts'

/** That the files of a source say something else than the active version, and the command that shows what it would do. */
export function pendingNotice({ name, mapping }: SourceView): Html | undefined {
  if (mapping === undefined) return undefined
  const { pending, version, applying } = mapping
  if (applying !== null)
    return html`<p class="notice"><b>Plan ${applying} is being applied.</b> Until it is through, entities of both versions stand side by side.</p>`
  if (pending === null)
    return html`<p class="notice bad"><b>Its files cannot be read.</b> Version ${version} goes on. See why: <code>catchment config check</code></p>`
  if (pending.length === 0) return undefined
  return html`<p class="notice warn"><b>Pending: ${pending.join(', ')}.</b> The files differ from the active version ${version}.
    See what they would do: <code>catchment plan --source ${name}</code></p>`
}
