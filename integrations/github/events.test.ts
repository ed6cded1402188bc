// Each event that concerns a kind, as the sandbox really delivers it, through the engine into a catalog: afterwards the
// catalog says something else, and nothing was scanned for it that the event did not ask for.
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttp, type Http } from '../../core/http/index.ts'
import type { RawDelivery } from '../../core/sdk/index.ts'
import { type LivingCatalog, openLivingCatalog } from '../../core/testkit/living-catalog.ts'
import { handlers } from './events.ts'
import { github } from './index.ts'
import { type GithubSource, openSource, secret } from './source.fixture.ts'
import { applies, type Item, type Row, type Told } from './table/row.fixture.ts'
import { tableOf } from './table/table.fixture.ts'

let source: GithubSource
let http: Http
let catalog: LivingCatalog | undefined
/** The clock of our side, so that a look at the repositories is not remembered from one event to the next. */
let ahead = 0
const now = (): number => Date.now() + ahead
const never = new AbortController().signal
const table = tableOf(() => source)

beforeAll(async () => {
  source = await openSource({ repos: 6 })
  const sleep = (): Promise<void> => Promise.resolve()
  http = createHttp({ credential: 'events', clock: { now, sleep }, random: () => 0.5, log: () => undefined })
})
afterAll(async () => {
  await catalog?.close()
  await http.close()
  await source.close()
})

function connect(asked?: NonNullable<Parameters<typeof github.connect>[1]['asked']>) {
  const { token, url } = source.sandbox
  const config = github.config.parse({ token, baseUrl: url, organizations: ['acme', 'acme-labs'] })
  const tools = { fetch: http.fetch, log: () => undefined, now, ...(asked === undefined ? {} : { asked }) }
  return github.connect(config, tools)
}

async function made(row: Row, asked: Parameters<typeof connect>[0]): Promise<Item> {
  const is = await row.make(1)
  ahead += 60_000
  const kind = connect(asked).kinds.find(({ name }) => name === row.kind)
  const partition = (await kind?.partitions(never))?.find(({ name }) => name === row.partition)
  if (kind === undefined || partition === undefined) throw new Error(`no ${row.partition}`)
  for await (const page of kind.list({ partition, signal: never, known: () => undefined })) {
    // `canonical` gives an object.
    const found = page.items.map((item) => kind.canonical(item) as Item).find(is)
    if (found !== undefined) return found
  }
  throw new Error('what was made is not listed')
}

const eventOf = ({ headers, body }: RawDelivery): string => {
  const { action } = JSON.parse(body.toString('utf8')) as { action?: string }
  return `${headers['x-github-event']}${action === undefined ? '' : `.${action}`}`
}
const fits = (wanted: string, sent: string): boolean => sent === wanted || sent.startsWith(`${wanted}.`)

/** What GitHub would send, made of what the sandbox sent. */
async function disguised(delivery: RawDelivery, { event, more }: Told, item: Item): Promise<RawDelivery> {
  const [name = '', action] = event.split('.')
  const payload = { ...JSON.parse(delivery.body.toString('utf8')), ...(await more?.(item)), action }
  const body = Buffer.from(JSON.stringify(payload))
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  return { headers: { ...delivery.headers, 'x-github-event': name, 'x-hub-signature-256': signature }, body }
}

/** What only adds shows where there is something to add to. */
const kindsOf = ({ kind, adds }: Row): readonly string[] => (adds === undefined ? [kind] : ['repository', kind])

function saidBy({ adds }: Row, entities: ReadonlyMap<string, string>): unknown {
  if (adds === undefined) return entities
  const said = [...entities].map(([name, text]) => {
    const { properties, relations } = JSON.parse(text) as { properties: object; relations: object }
    const own = Object.entries({ ...properties, ...relations }).filter(([field]) => adds.includes(field))
    return [name, own] as const
  })
  return new Map(said.filter(([, own]) => own.length > 0))
}

const rows = table.flatMap((row) => (applies(row.events) ? [{ kind: row.kind, row, told: row.events.told }] : []))

test('every event that is handled changes some kind', () => {
  const names = new Set(rows.flatMap(({ told }) => told.map(({ event }) => event.split('.')[0] ?? '')))
  expect([...names].sort()).toEqual(Object.keys(handlers).sort())
})

describe.each(rows)('$kind', ({ row, told }) => {
  let item: Item

  beforeAll(async () => {
    const everything = { folder: [{ folders: [{ path: '**' }] }], file: [{ files: [{ path: '**' }] }] }
    item = await made(row, { selectors: everything, options: {} })
    await source.received()
    await catalog?.close()
    catalog = await openLivingCatalog({ integration: github, connect, kinds: kindsOf(row), secret, now })
    await catalog.scan()
  })

  test.each(told)('$event', async (one) => {
    if (catalog === undefined) throw new Error('no catalog')
    const before = saidBy(row, await catalog.entities())
    await one.cause(item)
    const wanted = one.sentAs ?? one.event
    const sent = (await source.received()).filter((delivery) => fits(wanted, eventOf(delivery)))
    expect(sent, `the sandbox sent no ${wanted}`).not.toEqual([])
    ahead += 60_000
    for (const delivery of sent)
      await catalog.deliver(one.sentAs === undefined ? delivery : await disguised(delivery, one, item))
    expect(saidBy(row, await catalog.entities())).not.toEqual(before)
  })
})
