// Webhooks that Catchment keeps by itself, over the real thing: made at start, mended after a move, and what was lost while it
// was away asked for again, so that the catalog is whole without a scan.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { cli, eventually, type Running, startCatchment } from './testing/catchment.ts'
import { type Organisation, organisation } from './testing/organisation.ts'

let github: Organisation
let running: Running | undefined

beforeAll(async () => {
  github = await organisation(12)
})
afterAll(async () => {
  await running?.stop()
  await github?.remove()
})

async function ask(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(github.sandbox.url + path, {
    method,
    headers: { authorization: `Bearer ${github.sandbox.token}`, 'user-agent': 'test' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`)
  const text = await answer.text()
  return text === '' ? undefined : JSON.parse(text)
}

const hooks = async () =>
  z
    .array(z.looseObject({ id: z.int(), config: z.looseObject({ url: z.string() }) }))
    .parse(await ask('GET', '/orgs/acme/hooks'))

// Once a year: within this test no scan is due.
const configure = (manage: boolean): Promise<void> =>
  github.configure('schedule: { scan: "0 0 1 1 *", freshness: 1d }', `webhooks: { manage: ${manage} }`)

const start = async (): Promise<Running> => {
  running = await startCatchment(github.options)
  return running
}

const requests = async (): Promise<readonly { method: string; path: string }[]> =>
  (await github.sandbox.control.requests()).requests

it('without the setting nothing is written to GitHub, and check says how a person makes the webhook', async () => {
  await configure(false)
  await github.sandbox.control.clearRequests()
  const { stdout } = await cli(['check'], github.options)
  expect(stdout).toContain('/organizations/acme/settings/hooks/new')
  expect(stdout).toContain(`gh webhook forward --org=acme --events='*' --secret="$WEBHOOK_SECRET"`)
  const catchment = await start()
  await cli(['sync'], github.options)
  await catchment.stop()
  const asked = await requests()
  expect(asked.length).toBeGreaterThan(5)
  expect(asked.filter(({ method }) => method !== 'GET')).toEqual([])
  expect(await hooks()).toEqual([])
})

it('with it, a webhook is made and its deliveries are applied', async () => {
  await configure(true)
  const catchment = await start()
  const made = await eventually('a webhook', async () => {
    const found = await hooks()
    return found.length === 1 ? found : undefined
  })
  expect(made[0]?.config.url).toBe(`${catchment.url}/webhooks/github`)
  await ask('PATCH', '/repos/acme/checkout', { description: 'told by a webhook' })
  await eventually('it is applied', async () => {
    const { body } = await catchment.get('/api/v1/entities/service/acme%2Fcheckout')
    return JSON.stringify(body).includes('told by a webhook') ? true : undefined
  })
})

it('what was lost while it was away is sent again, to where it listens now, and no scan is needed', async () => {
  await running?.stop()
  await ask('PATCH', '/repos/acme/checkout', { description: 'nobody listened' })
  await ask('POST', '/orgs/acme/repos', { name: 'made-meanwhile' })
  await ask('DELETE', '/repos/acme/refunds')
  await github.sandbox.control.settle()
  const [before] = await hooks()
  await github.sandbox.control.clearRequests()
  const catchment = await start()
  await eventually('all three are applied', async () => {
    const { body } = await catchment.get('/api/v1/entities?blueprint=service&limit=1000')
    const text = JSON.stringify(body)
    const whole = text.includes('nobody listened') && text.includes('acme/made-meanwhile')
    return whole && !text.includes('"acme/refunds"') ? true : undefined
  })
  const listings = (await requests()).filter(({ path }) => path.startsWith('/orgs/acme/repos'))
  expect(listings).toEqual([])
  const [after, ...others] = await hooks()
  expect(others).toEqual([])
  expect(after?.id).toBe(before?.id)
  expect(after?.config.url).toBe(`${catchment.url}/webhooks/github`)
})

it('once it may not look after webhooks any more, status names the one it made and the command that removes it', async () => {
  await running?.stop()
  const [made] = await hooks()
  await configure(false)
  await start()
  const command = `-X DELETE /orgs/acme/hooks/${String(made?.id)}`
  await eventually('it is said', async () => {
    const { stdout } = await cli(['status'], github.options)
    return stdout.replaceAll(/\s+/g, ' ').includes(command) ? true : undefined
  })
})

it('what it may not make is said by status, too', async () => {
  await running?.stop()
  await configure(true)
  const { token } = await github.sandbox.control.makeToken({
    name: 'reader',
    scopes: ['repo', 'read:org'],
    user: 'mei-tanaka',
  })
  running = await startCatchment({ ...github.options, env: { GITHUB_TOKEN: token } })
  await eventually('it is said', async () => {
    const { body } = (await running?.get('/api/v1/sources')) ?? { body: undefined }
    return JSON.stringify(body).includes('admin:org_hook') ? true : undefined
  })
  const { stdout } = await cli(['status'], github.options)
  expect(stdout).toContain('no webhook for acme')
})
