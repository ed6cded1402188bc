// npm run -s story:record: lives through the story on a sandbox of its own and writes what was said to docs/story.md.
import { writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnSandbox } from '../../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, startCatchment, temporaryFolder } from './catchment.ts'
import { mask } from './record-tour.ts'

const intro = `# A mistake, a deletion, and what was before

A mapping mistake is planned, seen, corrected and applied; a deletion is explained and undone; and the catalog is asked what
it was. Everything below was said by a running Catchment over a small GitHub organisation, recorded by
\`npm run -s story:record\`; times and running numbers are masked. A test lives through it again and compares.`

const config = (url: string): string => `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "${url}" }
    kinds: [repository]
    mapping: ./mapping.yaml
`

const mapping = (change: { selector?: string; tier?: boolean } = {}): string => `resources:
  - kind: repository
${change.selector === undefined ? '' : `    selector:\n      query: ${change.selector}\n`}    entity:
      identifier: .full_name
      title: .name
      blueprint: '"service"'
      properties:
        description: .description
        language: .language
${change.tier === true ? `        tier: '[.topics[] | select(startswith("tier-"))][0]'\n` : ''}`

export async function recordStory(): Promise<string> {
  const folder = await temporaryFolder()
  const sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: 12 })
  const options = { folder: folder.path, env: { GITHUB_TOKEN: sandbox.token } }
  const parts = [intro]
  const tell = (text: string): number => parts.push(text)
  const file = async (text: string): Promise<void> => {
    await writeFile(join(folder.path, 'mapping.yaml'), text)
    parts.push(`\`\`\`yaml\n${text.trim()}\n\`\`\``)
  }
  /** As a person types it; `shown` instead of arguments that differ from run to run. */
  const run = async (args: readonly string[], shown: readonly string[] = args): Promise<string> => {
    const { code, stdout, stderr } = await cli(args, options)
    const said = [stdout.trim(), stderr.trim(), ...(code === 0 ? [] : [`(exit ${code})`])].filter((text) => text !== '')
    parts.push(`\`\`\`\n$ catchment ${shown.join(' ')}\n${masked(said.join('\n'))}\n\`\`\``)
    return stdout
  }
  await writeFile(join(folder.path, 'catchment.yaml'), config(sandbox.url))
  await writeFile(join(folder.path, 'mapping.yaml'), mapping())
  const catchment = await startCatchment(options)
  const github = async (method: string, path: string): Promise<void> => {
    const headers = { authorization: `Bearer ${sandbox.token}`, 'user-agent': 'story' }
    const answer = await fetch(sandbox.url + path, { method, headers })
    if (!answer.ok) throw new Error(`${method} ${path} is answered ${answer.status}`)
  }
  try {
    tell('## 1. A mistake that nobody had to live with\n\nThe catalog has every repository of the organisation.')
    await run(['get', 'service:acme/checkout'])
    const before = new Date().toISOString()
    tell(
      'Archived ones are to go, and the tier is wanted. The mapping file is changed, with the condition the wrong way round:',
    )
    await file(mapping({ selector: '.archived', tier: true }))
    tell('Nothing happens by that: the change is pending. The plan says what it would do, and asks GitHub nothing.')
    await run(['plan', '--exit-code'])
    tell(
      'All but the archived one would go; the guard would let five of them, and hold the rest. That is not what was meant:',
    )
    await file(mapping({ selector: '.archived | not', tier: true }))
    const plan = await run(['plan', '--exit-code'])
    tell('That is: the archived one goes. The plan that was looked at is applied, over the stored records.')
    const id = /plan (\d+)/i.exec(plan)?.[1] ?? ''
    await run(['apply', id])
    await run(['get', 'service:acme/checkout'])
    tell('Had it been a mistake after all: `catchment rollback github` goes back to the version before.')

    tell(
      '## 2. A deletion that is explained, and undone\n\nSomebody deletes a repository. The next scan does not list it, GitHub is asked, and says that it is gone.',
    )
    await github('DELETE', '/repos/acme/checkout')
    await cli(['sync', 'github', 'repository'], options)
    // The scan's end does not wait for the answer to what it raised.
    await eventually('the deletion', async () => {
      const { status } = await catchment.get('/api/v1/entities/service/acme%2Fcheckout')
      return status === 404 ? true : undefined
    })
    await run(['get', 'service:acme/checkout'])
    await run(['explain', 'service:acme/checkout'])
    tell('It was a slip, and the repository will be restored. Until then the catalog keeps what it knew:')
    await run(
      ['undo', 'service:acme/checkout', '--reason', 'it is being restored'],
      ['undo', 'service:acme/checkout', '--reason', '"it is being restored"'],
    )
    await cli(['sync', 'github', 'repository'], options)
    tell('Scans go on, and leave it alone. It is shown for what it is: a deviation.')
    await run(['get', 'service:acme/checkout'])
    await run(['pins'])
    await run(['status'])

    tell('## 3. What it was\n\nEverything that happened to it, with what made it happen:')
    await run(['history', 'service:acme/checkout'])
    tell('What it was before all this, and what differs since:')
    const then = (args: readonly string[]): Promise<string> =>
      run(
        args.map((arg) => (arg === 'MORNING' ? before : arg)),
        args.map((arg) => (arg === 'MORNING' ? '(time)' : arg)),
      )
    await then(['get', 'service:acme/checkout', '--as-of', 'MORNING'])
    await then(['diff', 'service:acme/checkout', '--from', 'MORNING'])
    tell('The same of a list: the archived repository was in the catalog then, and is not now.')
    await then(['search', '--blueprint', 'service', '--as-of', 'MORNING'])
    await run(['search', '--blueprint', 'service'])
    return `${parts.join('\n\n')}\n`
  } finally {
    await catchment.stop()
    await sandbox.stop()
    await folder.remove()
  }
}

function masked(text: string): string {
  return mask(text)
    .replaceAll(/\b(scan|version|position|plan|Plan) \d+/g, '$1 N')
    .replaceAll(/\(\d{20}:\d+\)/g, '(position)')
}

if (import.meta.main) writeFileSync(new URL('../../../docs/story.md', import.meta.url), await recordStory())
