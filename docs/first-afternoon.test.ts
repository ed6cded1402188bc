import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cli, type Running, startCatchment, temporaryFolder } from '../api/cli/testing/catchment.ts'
import { github } from '../integrations/github/index.ts'
import { type Sandbox, startSandbox } from '../integrations/github/sandbox/sandbox.ts'

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')

/** Commands of the fenced blocks of this kind, as written: `npm run -s catchment -- ARGS   # exit N`. */
function commands(text: string, kind: string): { args: string[]; exit: number }[] {
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`sh ${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, body]) => body ?? '',
  )
  return blocks.flatMap((body) =>
    [...body.matchAll(/^npm run -s catchment -- ([^#\n]+?)\s*(?:# exit (\d))?$/gm)].map(
      ([, args = '', exit = '0']) => ({
        args: args.split(' '),
        exit: Number(exit),
      }),
    ),
  )
}

describe('the commands of the quickstart', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let catchment: Running

  beforeAll(async () => {
    folder = await temporaryFolder()
    catchment = await startCatchment({ folder: folder.path })
  }, 120_000)
  afterAll(async () => {
    await catchment?.stop()
    await folder?.remove()
  }, 60_000)

  it('work as printed, with the exit status that is said', async () => {
    const found = commands(read('quickstart.md'), 'run')
    expect(found.length).toBeGreaterThan(8)
    for (const { args, exit } of found) {
      const done = await cli(args, { folder: folder.path })
      expect(done, `${args.join(' ')}\n${done.stdout}${done.stderr}`).toMatchObject({ code: exit, stderr: '' })
      expect(done.stdout.length).toBeGreaterThan(20)
    }
  }, 300_000)
})

describe('a sandbox in the place of GitHub', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let sandbox: Sandbox

  beforeAll(async () => {
    folder = await temporaryFolder()
    sandbox = await startSandbox({ data: join(folder.path, 'github') })
  })
  afterAll(async () => {
    await sandbox?.stop()
    await folder?.remove()
  })

  it.each(['quickstart.md', 'connect-github.md'])(
    'the commands of %s for one’s own organisation work in their order',
    async (name) => {
      const found = commands(read(name), 'init')
      expect(found.length).toBe(2)
      for (const { args } of found) {
        const where = args[0] === 'init' ? ['--base-url', sandbox.url, '--force'] : []
        const env = { GITHUB_TOKEN: sandbox.token }
        expect(await cli([...args, ...where], { folder: folder.path, env })).toMatchObject({ code: 0, stderr: '' })
      }
    },
    120_000,
  )

  it('a first scan, a rescan and all that goes before only read, from the routes that security.md names', async () => {
    const env = { GITHUB_TOKEN: sandbox.token }
    await cli(['init', 'github', '--base-url', sandbox.url, '--force'], { folder: folder.path, env })
    await sandbox.control.clearRequests()
    const catchment = await startCatchment({ folder: folder.path, env })
    await cli(['sync'], { folder: folder.path, env })
    await catchment.stop()
    const { requests } = await sandbox.control.requests()
    expect(requests.length).toBeGreaterThan(20)
    const asked = [
      ...new Set(requests.map(({ method, path }) => `${method} ${path.replace(/^\/orgs\/[^/]+/, '/orgs/{org}')}`)),
    ]
    const text = read('security.md')
    for (const route of asked) expect(text).toContain(`\`${route}\``)
    expect(asked.filter((route) => !route.startsWith('GET '))).toEqual(['POST /graphql'])
  }, 180_000)
})

it('security.md has a row for each kind of GitHub, with the fields that are stored of it', () => {
  const connection = github.connect(github.config.parse({ token: 'x', organizations: ['acme'] }), {
    fetch: () => Promise.reject(new Error('nothing is called')),
    log: () => undefined,
    now: () => 0,
  })
  const rows = [...read('security.md').matchAll(/^\| `([\w-]+)` \| (yes|no) \|.*\| ([^|]+) \|$/gm)]
  const written = Object.fromEntries(
    rows.map(([, kind = '', isDefault, fields = '']) => [
      kind,
      { isDefault: isDefault === 'yes', fields: [...fields.matchAll(/`(\w+)`/g)].map(([, name]) => name) },
    ]),
  )
  const fixtures = z.array(z.object({ item: z.json() }))
  const stored = Object.fromEntries(
    connection.kinds.map((kind) => {
      const [first] = fixtures.parse(JSON.parse(read(`../mappings/github/fixtures/${kind.name}.json`)))
      const item = kind.canonical(first?.item ?? null)
      const isDefault = github.defaultKinds.includes(kind.name)
      return [kind.name, { isDefault, fields: Object.keys(z.record(z.string(), z.json()).parse(item)) }]
    }),
  )
  expect(written).toEqual(stored)
})

it('connect-github.md names every option of init', async () => {
  const folder = await temporaryFolder()
  const help = await cli(['init', 'github', '--help'], { folder: folder.path })
  await folder.remove()
  const options = [...help.stdout.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, name]) => name)
  const named = [...read('connect-github.md').matchAll(/^\| `(--[\w-]+)/gm)].map(([, name]) => name)
  expect(new Set(named)).toEqual(new Set(options))
})
