import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { print, report } from '../output.ts'
import { explain, get } from './entities.ts'
import { held } from './held.ts'
import { breaks, healSandbox } from './sandbox.ts'
import type { SandboxAccess } from './sandbox-access.ts'
import { search } from './search.ts'
import { status } from './status.ts'
import { sync } from './sync.ts'

export interface Tour {
  readonly client: Client
  readonly sandbox: SandboxAccess
  /** Resolves when the visitor wants to go on. */
  readonly goOn: () => Promise<void>
}

const described = z.object({ description: z.string().nullable() })

const settings = { json: false, wait: true, timeout: '120' }

/** A guided five minutes: look, change, break, heal. Leaves the sandbox as it was. Exit status 0 unless the tour itself fails. */
export async function tour({ client, sandbox, goOn }: Tour): Promise<number> {
  const show = (args: string, command: () => Promise<number>): Promise<void> => run(args, command)
  const looked = {
    status: () => show('status', () => status(client, settings)),
    sync: (kind?: string) =>
      show(kind === undefined ? 'sync' : `sync github ${kind}`, () =>
        sync(client, kind === undefined ? undefined : 'github', kind, settings),
      ),
    get: (reference: string) => show(`get ${reference}`, () => get(client, reference, settings)),
    explain: (reference: string) => show(`explain ${reference}`, () => explain(client, reference, settings)),
    search: (words: string) =>
      show(`search ${words}`, () => search(client, [words], { ...settings, csv: false, count: false })),
    held: () => show('held', () => held(client, settings)),
  }
  const until = (reference: string, isThere: boolean) => arrival(client, reference, isThere)
  const heal = async (): Promise<void> => {
    print('\n$ npm run -s catchment -- sandbox heal')
    await healSandbox(sandbox)
    await sandbox.control.settle()
  }
  const broken = async (name: keyof typeof breaks): Promise<void> => {
    print(`\n$ npm run -s catchment -- sandbox break ${name}`)
    print((await breaks[name](sandbox)).what)
  }

  // Whatever an earlier visitor left.
  await healSandbox(sandbox)
  await remove(sandbox)
  await sandbox.control.settle()
  const before = described.parse(await sandbox.github('GET', '/repos/acme/checkout'))
  try {
    chapter(1, 'What there is', 'Catchment keeps a catalog in step with a GitHub: two organisations, by kind.')
    await looked.status()
    await looked.search('checkout')
    say('Every entity can say why it is here: which record, seen where, through which mapping.')
    await looked.explain('service:acme/checkout')
    await goOn()

    chapter(2, 'A change arrives', 'Somebody creates a repository. Its webhook tells, and the catalog has it.')
    await sandbox.github('POST', '/orgs/acme/repos', { name: 'tour', description: 'Made by the tour' })
    await until('service:acme/tour', true)
    await looked.get('service:acme/tour')
    say('It is renamed: one record under a new name, not one that went and one that came.')
    await sandbox.github('PATCH', '/repos/acme/tour', { name: 'tour-renamed' })
    await until('service:acme/tour-renamed', true)
    await looked.explain('service:acme/tour')
    say('And deleted. Absence is explained as well as presence.')
    await sandbox.github('DELETE', '/repos/acme/tour-renamed')
    await until('service:acme/tour-renamed', false)
    await looked.explain('service:acme/tour-renamed')
    await goOn()

    chapter(3, 'The token loses an organisation', 'What cannot be read is unknown, which is not the same as empty.')
    await broken('lose-permission')
    await looked.sync()
    await looked.status()
    await heal()
    await looked.sync()
    await goOn()

    chapter(4, 'Webhooks are lost', 'Webhooks are hints; the scan is what counts.')
    await broken('drop-webhooks')
    await looked.get('service:acme/checkout')
    await looked.sync('repository')
    await looked.get('service:acme/checkout')
    await heal()
    await goOn()

    chapter(5, 'GitHub lists half', 'The listing ends well and leaves out half. A guard holds what it would take away.')
    await broken('half-listing')
    await looked.sync('repository')
    await looked.search('checkout')
    say('Healed, the next scan sees them again, and the hold dissolves by itself.')
    await heal()
    await looked.sync('repository')
    await looked.held()
    await goOn()

    chapter(6, 'Many renames at once', 'Twenty repositories get new names within a second.')
    await broken('rename-storm')
    await sandbox.control.settle()
    await until('service:acme/checkout-in-the-storm', true)
    await applied(client)
    await looked.explain('service:acme/checkout')
    await looked.held()
    await heal()
    await until('service:acme/checkout', true)
    await applied(client)

    chapter(7, 'As it was', 'Everything is healed, and the catalog equals its source.')
    await looked.status()
    print('\nBreak more yourself: catchment sandbox break html | rate-limit. Your own GitHub: catchment init github')
    return 0
  } finally {
    await healSandbox(sandbox)
    await sandbox.github('PATCH', '/repos/acme/checkout', before)
    await remove(sandbox)
  }
}

function chapter(number: number, title: string, text: string): void {
  print(`\n== ${number}. ${title} ==\n${text}`)
}

function say(text: string): void {
  print(`\n${text}`)
}

/** One command as the visitor would type it, with what it answers and its exit status where that says something. */
async function run(args: string, command: () => Promise<number>): Promise<void> {
  print(`\n$ npm run -s catchment -- ${args}`)
  const code = await command().catch(report)
  if (code !== 0) print(`(exit ${code})`)
}

/** Waits until an entity has come or gone. Throws `tour_stuck` after half a minute. */
async function arrival(client: Client, reference: string, isThere: boolean): Promise<void> {
  const [blueprint = '', identifier = ''] = reference.split(':')
  const path = `/api/v1/entities/${blueprint}/${encodeURIComponent(identifier)}`
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await client.get(path).then(
      () => true,
      (error: unknown) => {
        if (error instanceof CatchmentError && error.status === 404) return false
        throw error
      },
    )
    if (found === isThere) return
    await pause(50)
  }
  throw new CatchmentError(`${reference} did not ${isThere ? 'come' : 'go'} within half a minute.`, {
    code: 'tour_stuck',
    hint: 'See what the source and its deliveries say: npm run -s catchment -- status',
  })
}

const sources = z.object({
  items: z.array(z.object({ deliveries: z.object({ waiting: z.number() }), doubts: z.number() })),
})

/** Waits until no accepted delivery waits and nothing is left to be asked about; what still does after half a minute shows in `status`. */
async function applied(client: Client): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const { items } = sources.parse(await client.get('/api/v1/sources?limit=1000'))
    if (items.every(({ deliveries, doubts }) => deliveries.waiting === 0 && doubts === 0)) return
    await pause(50)
  }
}

/** Takes away what the tour made, if it is there. */
async function remove(sandbox: SandboxAccess): Promise<void> {
  for (const name of ['tour', 'tour-renamed'])
    await sandbox.github('DELETE', `/repos/acme/${name}`).catch((error: unknown) => {
      if (!(error instanceof CatchmentError)) throw error
    })
}
