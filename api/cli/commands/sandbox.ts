import { z } from 'zod'
import { print } from '../output.ts'
import type { SandboxAccess } from './sandbox-access.ts'

export interface Breakage {
  /** What is broken from now on, in the past tense of a report. */
  readonly what: string
  /** Commands of the CLI, each with what it will show. */
  readonly watch: readonly (readonly [command: string, shows: string])[]
}

const repositories = z.array(z.object({ name: z.string() }))

/** What renamed repositories end with, so that `heal` finds them again. */
const storm = '-in-the-storm'
const inStorm = 20

type Break = (sandbox: SandboxAccess) => Promise<Breakage>

/** What can be broken. */
export const breaks = {
  'lose-permission': async ({ control }) => {
    await control.fault({ kind: 'lose-permission', org: 'acme-labs', as: 'forbidden' })
    return {
      what: 'GitHub now answers 403 for everything in acme-labs: the token has lost it.',
      watch: [
        ['sync', 'acme scans on; acme-labs is unknown, and why'],
        ['status', 'exit 3; unknown is not empty: its records are all still there'],
        ['search prototype', 'the entities of acme-labs, as they were last seen'],
      ],
    }
  },
  'drop-webhooks': async ({ control, github }) => {
    await control.fault({ kind: 'drop-delivery' })
    const at = new Date().toISOString().slice(11, 19)
    await github('PATCH', '/repos/acme/checkout', { description: `Changed at ${at}, while no webhook came through` })
    return {
      what: 'Every webhook is lost from now on. acme/checkout just got another description.',
      watch: [
        ['get service:acme/checkout', 'still the old description: nobody told'],
        ['sync github repository', 'one changed: a scan finds what a webhook did not tell'],
        ['get service:acme/checkout', 'the new description'],
      ],
    }
  },
  'half-listing': async ({ control }) => {
    await control.fault({ kind: 'half-listing', share: 0.5, match: { path: '^/orgs/[^/]+/repos$' } })
    return {
      what: 'GitHub now lists only half of the repositories, with status 200 and no word about the rest.',
      watch: [
        ['sync github repository', 'exit 3; a listing that ends well, and what it leaves out is held, not taken away'],
        ['held', 'what the guard kept, and why; heal, and the next scan lets go of it by itself'],
        ['search checkout', 'still there'],
      ],
    }
  },
  'rename-storm': async (sandbox) => {
    const all = (await names(sandbox)).filter((name) => !name.endsWith(storm))
    // The one that the documentation speaks of is among them.
    const chosen = ['checkout', ...all.filter((name) => name !== 'checkout')]
      .filter((name) => all.includes(name))
      .slice(0, inStorm)
    for (const name of chosen) await sandbox.github('PATCH', `/repos/acme/${name}`, { name: name + storm })
    return {
      what: `${chosen.length} repositories of acme were renamed at once, acme/checkout to acme/checkout${storm}.`,
      watch: [
        [`search ${storm.slice(1)}`, 'the new names, within a second of their webhooks'],
        ['explain service:acme/checkout', 'renamed, and to what: one record went through, none was lost or doubled'],
        ['held', 'nothing: a rename is no deletion'],
      ],
    }
  },
  html: async ({ control }) => {
    await control.fault({ kind: 'html', match: { path: '^/orgs/acme/repos$', page: 2 } })
    return {
      what: 'The second page of the repositories of acme is now an HTML page with status 200, as a proxy would send it.',
      watch: [
        ['sync github repository', 'exit 3; acme is incomplete, with the reason, and nothing is removed'],
        ['status', 'as many records as before'],
      ],
    }
  },
  'rate-limit': async ({ control }) => {
    await control.fault({ kind: 'rate-limit-exhausted', seconds: 60 })
    return {
      what: 'The rate limit is used up for the next minute.',
      watch: [
        ['sync', 'exit 3; parked until the reset, and no call before it'],
        ['status', 'parked until when; the scans go on by themselves then'],
      ],
    }
  },
} satisfies Record<string, Break>

export type BreakName = keyof typeof breaks

/** Ends every fault and gives renamed repositories their names back. */
export async function healSandbox(sandbox: SandboxAccess): Promise<{ readonly renamed: number }> {
  await sandbox.control.heal()
  const stormy = (await names(sandbox)).filter((name) => name.endsWith(storm))
  for (const name of stormy)
    await sandbox.github('PATCH', `/repos/acme/${name}`, { name: name.slice(0, -storm.length) })
  return { renamed: stormy.length }
}

/** Breaks one thing and says what to watch. */
export async function breakCommand(sandbox: SandboxAccess, name: BreakName): Promise<number> {
  const { what, watch } = await breaks[name](sandbox)
  print(what)
  print('Watch:')
  const width = Math.max(...watch.map(([command]) => command.length))
  for (const [command, shows] of watch) print(`  npm run -s catchment -- ${command.padEnd(width)}  # ${shows}`)
  print('Then: npm run -s catchment -- sandbox heal')
  return 0
}

export async function healCommand(sandbox: SandboxAccess): Promise<number> {
  const { renamed } = await healSandbox(sandbox)
  print(`Everything works again${renamed === 0 ? '' : `, and ${renamed} repositories have their names back`}.`)
  print('Watch:')
  print('  npm run -s catchment -- sync    # every scan complete')
  print('  npm run -s catchment -- status  # exit 0')
  return 0
}

async function names(sandbox: SandboxAccess): Promise<readonly string[]> {
  const found: string[] = []
  for (let page = 1; ; page += 1) {
    const rows = repositories.parse(await sandbox.github('GET', `/orgs/acme/repos?per_page=100&page=${page}`))
    found.push(...rows.map(({ name }) => name))
    if (rows.length < 100) return found
  }
}
