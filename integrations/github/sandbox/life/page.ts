import { languageOf } from '../shapes/repository.ts'
import type { World } from '../state/world.ts'

const escape = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char)

/** What a person sees who follows the html_url of a repository: that it is a sandbox, and how to change the thing. */
export function pageFor(world: World, url: string, path: string): string | undefined {
  const [owner, name, ...rest] = path.split('/').slice(1)
  const repo = owner === undefined || name === undefined || rest.length > 0 ? undefined : world.repo(owner, name)
  if (!repo) return undefined
  const full = `${owner}/${repo.name}`
  const facts = [repo.visibility, languageOf(repo), repo.archived ? 'archived' : null, ...repo.topics].filter(Boolean)
  const command = `curl -X PATCH -H "Authorization: Bearer TOKEN" ${url}/repos/${full} -d '{"description":"Changed by hand"}'`
  return `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>${escape(full)}</title>
<body style="font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem">
<h1>${escape(full)}</h1><p>${escape(repo.description ?? '')}</p><p>${escape(facts.join(' · '))}</p>
<p>This repository lives in the sandbox. Change it as you would change it on GitHub:</p>
<pre style="white-space:pre-wrap">${escape(command)}</pre></body></html>`
}
