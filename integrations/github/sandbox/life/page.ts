// Pages for a person who follows an html_url from the catalog: that this is a sandbox, and how to change the thing.
import { languageOf } from '../shapes/repository.ts'
import type { Repo } from '../state/model.ts'
import type { World } from '../state/world.ts'

const escape = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char)

const page = (title: string, body: string): string => `<!DOCTYPE html><html lang="en"><meta charset="utf-8">
<title>${escape(title)}</title><body style="font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem">
<h1>${escape(title)}</h1>${body}<p><small>A sandbox, not GitHub.</small></p></body></html>`

const list = (items: readonly (readonly [path: string, text: string])[]): string =>
  `<ul>${items.map(([path, text]) => `<li><a href="/${escape(path)}">${escape(path)}</a> ${escape(text)}</li>`).join('')}</ul>`

function repoPage(url: string, full: string, repo: Repo): string {
  const facts = [repo.visibility, languageOf(repo), repo.archived ? 'archived' : null, ...repo.topics]
  const known = facts.filter((fact) => fact !== null)
  const change = `curl -X PATCH -H "Authorization: Bearer $TOKEN" ${url}/repos/${full} -d '{"description":"Changed by hand"}'`
  return page(
    full,
    `<p>${escape(repo.description ?? '')}</p><p>${escape(known.join(' · '))}</p>
<p>Change it as you would on GitHub:</p><pre style="white-space:pre-wrap">${escape(change)}</pre>`,
  )
}

/** `/`, `/:owner` and `/:owner/:repo`; undefined for everything else. */
export function pageFor(world: World, url: string, path: string): string | undefined {
  const [owner, name, more] = path.split('/').slice(1)
  if (more !== undefined || owner === undefined) return undefined
  if (owner === '') {
    const orgs = [...world.all('orgs')].map((org) => [org.login, org.description] as const)
    return page('GitHub sandbox', list(orgs))
  }
  const account = world.account(owner)
  if (!account) return undefined
  const { login } = account.row
  if (name === undefined) {
    const repos = world
      .reposOf(account.row.id, 'full_name')
      .map((repo) => [`${login}/${repo.name}`, repo.description ?? ''] as const)
    return page(account.row.name, list(repos))
  }
  const repo = world.repo(login, name)
  return repo && repoPage(url, `${login}/${repo.name}`, repo)
}
