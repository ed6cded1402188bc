import { z } from 'zod'
import { BadAnswer, type HookKeeper, type HooksKept, type HookTarget } from '../../core/sdk/index.ts'
import type { Answer, Client } from './client.ts'
import type { Directory } from './directory.ts'
import { idOf, organizationPlace, type Place, placeOf, remember, repositoryPlace } from './places.ts'
import { redeliver } from './redeliver.ts'
import { type GithubConfig, read } from './schema.ts'
import { reasonOf, type Scope, unreadable } from './scope.ts'

const hook = z.object({
  id: z.int(),
  active: z.boolean(),
  events: z.array(z.string()),
  config: z.object({
    url: z.string().optional(),
    content_type: z.string().optional(),
    insecure_ssl: z.union([z.string(), z.number()]).optional(),
  }),
})
type Hook = z.output<typeof hook>

type Refused = Extract<Answer, { state: 'refused' }>
type Kept = { readonly id: string } | Refused

/** One webhook for each organisation; where the token may not make that, one for each of its repositories. */
export function createHookKeeper(
  config: GithubConfig,
  client: Client,
  scope: Scope,
  directory: Directory,
  now: () => number,
): HookKeeper {
  const again = redeliver(client, placeOf, now)
  return {
    redeliver: again,
    async keep(target, known, signal) {
      const unreachable = reachable(target, config.baseUrl)
      if (unreachable !== undefined) {
        const refused = scope.organizations.map((name) => ({ scope: name, reason: unreachable }))
        return { hooks: known, done: [], refused }
      }
      const hooks: Record<string, string> = {}
      const done: HooksKept['done'][number][] = []
      const refused: HooksKept['refused'][number][] = []
      /** Undefined: there is one now. Else why not. */
      const keep = async (place: Place): Promise<Refused | undefined> => {
        const kept = await keepOne(client, place, target, known[place.scope], done, signal)
        if (!('id' in kept)) return kept
        hooks[place.scope] = kept.id
        return undefined
      }
      for (const org of scope.organizations) {
        const whole = await keep(organizationPlace(org))
        if (whole === undefined) continue
        const names = await repositoriesOf(config, directory, org, signal)
        let without = 0
        let why = whole
        for (const name of names) {
          const refusal = await keep(repositoryPlace(name))
          if (refusal !== undefined) [without, why] = [without + 1, refusal]
        }
        const reason =
          names.length === 0
            ? reasonOf(whole, `webhooks of ${org}`)
            : `webhooks of ${without} of its ${names.length} repositories: ${reasonOf(why, 'the last')}`
        if (names.length === 0 || without > 0) refused.push({ scope: org, reason: withHint(reason) })
      }
      // What is not ours to read any more, and those of repositories whose organisation has one now.
      for (const [name, id] of Object.entries(known)) {
        if (hooks[name] !== undefined) continue
        if (refused.some((one) => name === one.scope || name.startsWith(`${one.scope}/`))) {
          hooks[name] = id
          continue
        }
        const { path, params } = placeOf(name)
        const gone = await client.ask(`DELETE ${path}/{hook}`, { ...params, hook: idOf(id) }, { signal })
        if (gone.state === 'ok') done.push({ scope: name, what: 'removed' })
        else if (gone.state === 'refused' && gone.status !== 404) hooks[name] = id
      }
      const remove = Object.fromEntries(Object.entries(hooks).map(([name, id]) => [name, removal(config, name, id)]))
      return { hooks, done, refused, remove }
    },
  }
}

const withHint = (reason: string): string =>
  `${reason}. Grant admin:org_hook (fine-grained: Webhooks, read and write, of the organisation), or make the webhook by hand`

async function repositoriesOf(
  config: GithubConfig,
  directory: Directory,
  org: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const own = `${org.toLowerCase()}/`
  if (config.only !== undefined) return config.only.filter((name) => name.toLowerCase().startsWith(own))
  const partitions = await directory.partitions(signal)
  return partitions
    .filter(({ name, unknown }) => unknown === undefined && name.toLowerCase().startsWith(own))
    .map(({ name }) => name)
}

async function keepOne(
  client: Client,
  place: Place,
  target: HookTarget,
  known: string | undefined,
  done: HooksKept['done'][number][],
  signal: AbortSignal,
): Promise<Kept> {
  const { path, params, scope } = place
  const listed = await client.recall(`GET ${path}`, { ...params, per_page: 100 }, signal)
  if (listed.state === 'refused') return listed
  const all = read(z.array(hook), listed.data, `webhooks of ${scope}`)
  const own = idOf(known ?? '')
  const ours = all.filter(({ id, config }) => String(id) === own || config.url === target.url)
  const [first, ...others] = ours.sort((one) => (String(one.id) === own ? -1 : 1))
  for (const { id } of others) {
    const gone = await client.ask(`DELETE ${path}/{hook}`, { ...params, hook: id }, { signal })
    if (gone.state === 'refused' && gone.status !== 404) throw unreadable(gone, `webhook ${id} of ${scope}`)
    done.push({ scope, what: 'removed' })
  }
  const config = { url: target.url, content_type: 'json', secret: target.secret, insecure_ssl: '0' }
  const wanted = { active: true, events: place.events, config }
  if (first === undefined) {
    const made = await client.ask(`POST ${path}`, { ...params, name: 'web', ...wanted }, { signal })
    if (made.state !== 'ok') return refusal(made)
    done.push({ scope, what: 'created' })
    return { id: remember(read(z.object({ id: z.int() }), made.data, `webhook of ${scope}`).id, target.secret) }
  }
  const remembered = remember(first.id, target.secret)
  if (remembered === known && isAsWanted(first, target.url, place.events)) return { id: remembered }
  const mended = await client.ask(`PATCH ${path}/{hook}`, { ...params, hook: first.id, ...wanted }, { signal })
  if (mended.state !== 'ok') return refusal(mended)
  done.push({ scope, what: 'repaired' })
  return { id: remembered }
}

function refusal(answer: Exclude<Answer, { state: 'ok' }>): Refused {
  if (answer.state === 'refused') return answer
  throw new BadAnswer('webhooks: 304 to a request that writes')
}

function isAsWanted({ active, events: told, config }: Hook, url: string, wanted: readonly string[]): boolean {
  const all = told.includes('*') || wanted.every((name) => told.includes(name))
  const safe = config.insecure_ssl === undefined || String(config.insecure_ssl) === '0'
  return active && all && safe && config.url === url && config.content_type === 'json'
}

/** Why GitHub cannot reach this address. Undefined: it may. */
function reachable({ url }: HookTarget, baseUrl: string): string | undefined {
  const isHere = (address: string): boolean =>
    /^(localhost|127\.\d+\.\d+\.\d+|\[::1?\]|0\.0\.0\.0)$/.test(new URL(address).hostname)
  if (!isHere(url) || isHere(baseUrl)) return undefined
  return `GitHub cannot reach ${url}. Set webhooks.url to the address that it reaches Catchment under`
}

/** For a person with GitHub's own command line. */
function removal(config: GithubConfig, name: string, id: string): string {
  const { host } = new URL(config.baseUrl)
  const server = host === 'api.github.com' ? '' : ` --hostname ${host}`
  return `gh api${server} -X DELETE /${name.includes('/') ? 'repos' : 'orgs'}/${name}/hooks/${idOf(id)}`
}

/** For `check` and `init`: how a person makes the webhook, and how a laptop gets its deliveries. */
export function instructions(config: GithubConfig, url: string): readonly string[] {
  const api = new URL(config.baseUrl)
  const site = api.hostname === 'api.github.com' ? 'https://github.com' : api.origin
  const host = api.hostname === 'api.github.com' ? '' : ` --github-host=${api.host}`
  return [
    ...config.organizations.map((org) => `make one at ${site}/organizations/${org}/settings/hooks/new:`),
    `  payload URL ${url}, content type application/json, the secret of webhooks.secret, "Send me everything"`,
    'to this machine, without an address that GitHub reaches:',
    ...config.organizations.map(
      (org) => `  gh webhook forward --org=${org} --events='*' --secret="$WEBHOOK_SECRET" --url=${url}${host}`,
    ),
  ]
}
