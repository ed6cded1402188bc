import { type Hands, home, type Item, not, type Row, repo, sha, twoPages, withField } from './row.fixture.ts'

/** What lies in a repository, and what GitHub finds in it. */
export function contentRows({ control, change, write, unwrite }: Hands): readonly Row[] {
  const partition = home
  const refs = `${repo}/git/refs`
  const name = (item: Item): string => String(item['name'])

  const alerts = (kind: string, type: 'dependabot' | 'code' | 'secret', path: string, dismissed: object): Row => {
    const find = (): Promise<number> => control().find(home, { type })
    const dismiss = (item: Item): Promise<unknown> =>
      change('PATCH', `${repo}/${path}/alerts/${String(item['number'])}`, dismissed)
    const event = `${path.replace('-', '_')}_alert`
    return {
      kind,
      partition: 'acme',
      make: async () => {
        const number = await find()
        return (item) => item['number'] === number && item['__repository'] === 'checkout'
      },
      pages: twoPages,
      rename: { by: dismiss },
      remove: not('an alert is never deleted; it goes with its repository, which the last test has'),
      events: {
        told: [
          { event: `${event}.created`, cause: find },
          { event, cause: dismiss },
        ],
      },
    }
  }

  return [
    {
      kind: 'branch',
      partition,
      make: async (n) => {
        await change('POST', refs, { ref: `refs/heads/b${n}`, sha })
        return withField('name', `b${n}`)
      },
      pages: twoPages,
      rename: not('a branch is its name: under another it is another branch, as GitHub tells it, too'),
      remove: { by: (item) => change('DELETE', `${refs}/heads/${name(item)}`) },
      events: {
        told: [
          { event: 'create', cause: () => change('POST', refs, { ref: 'refs/heads/told', sha }) },
          { event: 'push', cause: () => write('pushed.md', 'a') },
          {
            event: 'branch_protection_rule.created',
            sentAs: 'push',
            cause: () => write('pushed.md', 'b'),
          },
          {
            event: 'delete',
            cause: (item) => change('POST', `${repo}/branches/${name(item)}/rename`, { new_name: 'renamed' }),
          },
        ],
      },
    },
    {
      kind: 'tag',
      partition,
      make: async (n) => {
        await change('POST', refs, { ref: `refs/tags/t${n}`, sha })
        return withField('name', `t${n}`)
      },
      pages: twoPages,
      rename: not('a tag is its name, and is not moved: it goes, and another comes'),
      remove: { by: (item) => change('DELETE', `${refs}/tags/${name(item)}`) },
      events: {
        told: [
          { event: 'create', cause: () => change('POST', refs, { ref: 'refs/tags/told', sha }) },
          { event: 'push', cause: () => change('POST', refs, { ref: 'refs/tags/pushed', sha }) },
          { event: 'delete', cause: (item) => change('DELETE', `${refs}/tags/${name(item)}`) },
        ],
      },
    },
    {
      kind: 'workflow',
      partition,
      make: async (n) => {
        await write(`.github/workflows/w${n}.yaml`, `name: W${n}\n`)
        return withField('name', `W${n}`)
      },
      pages: twoPages,
      rename: { by: (item) => write(String(item['path']), 'name: renamed\n') },
      remove: { by: (item) => unwrite(String(item['path'])) },
      events: { told: [{ event: 'push', cause: (item) => write(String(item['path']), 'name: told\n') }] },
    },
    {
      kind: 'codeowners',
      partition: 'acme',
      adds: ['codeowners', 'owners'],
      make: async (n) => {
        const place = `/repos/acme/owned-${n}`
        await change('POST', '/orgs/acme/repos', { name: `owned-${n}`, private: true })
        await change('PUT', `${place}/contents/CODEOWNERS`, owners('* @acme/payments\n'))
        return withField('__repository', `owned-${n}`)
      },
      pages: twoPages,
      rename: {
        by: (item) => change('PUT', `${owned(item)}/contents/.github/CODEOWNERS`, owners('* @acme/checkout\n')),
      },
      remove: { by: (item) => change('DELETE', `/repos/acme/${String(item['__repository'])}`) },
      events: {
        told: [
          {
            event: 'push',
            cause: (item) => change('PUT', `${owned(item)}/contents/CODEOWNERS`, owners('* @mei-tanaka\n')),
          },
          { event: 'push', cause: (item) => change('DELETE', `${owned(item)}/contents/CODEOWNERS`, { message: 'x' }) },
          {
            event: 'push',
            cause: (item) => change('PUT', `${owned(item)}/contents/docs/CODEOWNERS`, owners('* @acme/web\n')),
          },
          { event: 'repository.renamed', cause: (item) => change('PATCH', owned(item), { name: 'owned-anew' }) },
          {
            event: 'repository.transferred',
            cause: () => change('POST', '/repos/acme/owned-anew/transfer', { new_owner: 'acme-labs' }),
          },
          { event: 'repository.deleted', cause: () => change('DELETE', '/repos/acme-labs/owned-anew') },
        ],
      },
    },
    {
      kind: 'file',
      partition,
      adds: ['readme'],
      make: async (n) => {
        await write(`made-${n}.json`, '{"a":1}')
        return withField('path', `made-${n}.json`)
      },
      pages: not('the tree of a branch comes as a whole; GitHub says when it left out a part'),
      rename: { by: (item) => write(String(item['path']), '{"a":2}') },
      remove: { by: (item) => unwrite(String(item['path'])) },
      events: {
        told: [
          { event: 'push', cause: () => write('README.md', 'told') },
          { event: 'push', cause: () => unwrite('README.md') },
        ],
      },
    },
    {
      kind: 'folder',
      partition,
      make: async (n) => {
        await write(`folder-${n}/a.md`, 'a')
        return (item) => JSON.stringify(item['folder']).includes(`"folder-${n}"`)
      },
      pages: not('the tree of a branch comes as a whole; GitHub says when it left out a part'),
      rename: not('a folder is its path: under another it is another folder'),
      remove: { by: (item) => unwrite(`${pathOf(item)}/a.md`) },
      events: {
        told: [
          { event: 'push', cause: () => write('folder-told/a.md', 'a') },
          { event: 'push', cause: (item) => unwrite(`${pathOf(item)}/a.md`) },
        ],
      },
    },
    alerts('dependabot-alert', 'dependabot', 'dependabot', { state: 'dismissed', dismissed_reason: 'not_used' }),
    alerts('code-scanning-alert', 'code', 'code-scanning', { state: 'dismissed' }),
    alerts('secret-scanning-alert', 'secret', 'secret-scanning', { state: 'resolved', resolution: 'revoked' }),
  ]
}

const owned = (item: Item): string => `/repos/acme/${String(item['__repository'])}`
const owners = (text: string): object => ({ message: 'x', content: Buffer.from(text).toString('base64') })

function pathOf(item: Item): string {
  const { folder } = item
  return typeof folder === 'object' && folder !== null && 'path' in folder ? String(folder.path) : ''
}
