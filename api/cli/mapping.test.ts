import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { registerMappingCommands } from './mapping.ts'
import { report } from './output.ts'

let folder: string

/** The command in this process, with its exit status and what it wrote. */
async function run(args: readonly string[], input = ''): Promise<{ status: number; out: string; err: string }> {
  const written = { out: '', err: '' }
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream === 'stdout' ? 'out' : 'err'] += String(text)
      return true
    }),
  )
  const before = process.exitCode
  const program = new Command('catchment').exitOverride()
  registerMappingCommands(program, () => input)
  try {
    await program.parseAsync(['node', 'catchment', 'mapping', ...args])
    return { status: Number(process.exitCode ?? 0), ...written }
  } catch (error) {
    return { status: report(error), ...written }
  } finally {
    process.exitCode = before
    for (const spy of spies) spy.mockRestore()
  }
}

const mapping = `resources:
  - kind: repository
    selector: { query: .archived | not }
    entity:
      identifier: .name
      title: .name | ascii_upcase
      blueprint: '"service"'
      team: .owner
      properties:
        stars: .stars | tonumber
        cluster: env.CLUSTER
      relations: { uses: .uses }
`

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mapping-cli-'))
  const files = {
    'mapping.yaml': mapping,
    'two.yaml': `${mapping}  - { kind: team, itemsToParse: .list, entity: { identifier: .item, blueprint: '"team"' } }\n`,
    'broken.yaml': mapping.replace('.name | ascii_upcase', '.name | ascii_upcse'),
    'nothing.yaml': 'resources: 5',
    'blueprints/service.json':
      '{ "identifier": "service", "schema": { "properties": { "stars": { "type": "number" } } } }',
  }
  mkdirSync(join(folder, 'blueprints'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string): string => join(folder, name)

describe('mapping test', () => {
  const items = JSON.stringify([
    { name: 'checkout', stars: '3', owner: 'acme', uses: ['a', 'b'] },
    { name: 'old', archived: true },
    { name: 'bad', stars: 'many' },
    { stars: 1 },
  ])

  it('shows entities, what was not selected, and problems with their place', async () => {
    const { status, out } = await run(['test', file('mapping.yaml'), '--variable', 'CLUSTER=eu1'], items)
    expect(out).toBe(`\
repository 0
  service:checkout
    title    CHECKOUT
    team     acme
    stars    3
    cluster  eu1
    → uses   ["a","b"]

repository 1
  repository: not selected by .archived | not

repository 2
  service:bad
    title    BAD
    cluster  eu1
    → uses   null
    ✗ properties.stars: string ("many") cannot be parsed as a number
      ${file('mapping.yaml')}:10:16: .stars | tonumber

repository 3
  repository 0: set aside
    ✗ identifier: an identifier is a text or a number, not null
      ${file('mapping.yaml')}:5:19: .name

4 items, 2 entities, 1 deselected, 1 quarantined, 1 failed
`)
    expect(status).toBe(1)
  })

  it('says of items how many the selector left out, and traces no further than it', async () => {
    const mapping = `resources:
  - kind: repository
    selector: { query: .item.env == "prod" and (.archived | not) }
    itemsToParse: .deployments
    entity: { identifier: '"\\(.name)-\\(.item.env)"', blueprint: '"deployment"' }
`
    writeFileSync(file('parts.yaml'), mapping)
    const items = JSON.stringify([
      { name: 'a', deployments: [{ env: 'dev' }, { env: 'test' }] },
      { name: 'b', deployments: [{ env: 'dev' }, { env: 'prod' }] },
      { name: 'c' },
    ])
    const args = ['test', file('parts.yaml')]
    const { status, out } = await run(args, items)
    expect(status).toBe(0)
    const selector = '.item.env == "prod" and (.archived | not)'
    expect(out).toContain(`repository 0\n  repository: none of 2 items selected by ${selector}\n`)
    expect(out).toContain(`  deployment:b-prod\n  repository: 1 of 2 items not selected by ${selector}\n`)
    expect(out).toContain('repository 2\n  repository: no items in .deployments\n')
    expect(out).toContain('3 items, 1 entity, 3 deselected, 0 quarantined, 0 failed\n')
    const traced = await run([...args, '--trace'], items)
    expect(traced.out.match(/ identifier: /g)).toHaveLength(1)
    expect(traced.out).toContain(`      ${selector}  ⇒  false\n`)
    const answer = JSON.parse((await run([...args, '--json'], items)).out)
    expect(answer.items[0].parsed).toEqual([
      { mapping: 'repository', items: 2, deselected: 2, selector, expression: '.deployments' },
    ])
  })

  it('answers programs, from a file, with what each part of an expression gave', async () => {
    writeFileSync(file('items.json'), '{ "name": "a", "stars": "3" }\n{ "name": "b", "stars": "4" }')
    const args = [
      'test',
      file('mapping.yaml'),
      '--items',
      file('items.json'),
      '--variable',
      'CLUSTER=x',
      '--json',
      '--trace',
    ]
    const { status, out } = await run(args)
    expect(status).toBe(0)
    const answer = JSON.parse(out)
    expect(answer).toMatchObject({
      kind: 'repository',
      diagnostics: [],
      counts: { items: 2, entities: 2, deselected: 0, quarantined: 0, failed: 0 },
      items: [{ item: 0, outputs: [{ state: 'selected', drafts: [{ draft: { identifier: 'a' } }] }] }, { item: 1 }],
    })
    const title = answer.items[0].trace.find(({ field }: { field: string }) => field === 'title')
    expect(title).toMatchObject({ mapping: 'repository', expression: '.name | ascii_upcase', result: '"A"' })
    expect(title.steps).toContainEqual({ part: '.name', gave: '"a"' })
    expect(title.steps).toContainEqual({ part: 'ascii_upcase', gave: '"A"' })
  })

  it('needs the kind where there are several, and traces items', async () => {
    expect(await run(['test', file('two.yaml')], '{}')).toMatchObject({
      status: 2,
      err: expect.stringContaining('--kind repository | team'),
    })
    expect((await run(['test', file('two.yaml'), '--kind', 'tem'], '{}')).status).toBe(2)
    const { out, status } = await run(['test', file('two.yaml'), '--kind', 'team', '--trace'], '{ "list": ["a"] }')
    expect(out).toContain('team:a')
    expect(out).toContain('team item 0 identifier: .item\n      .item  ⇒  "a"\n    = "a"')
    expect(status).toBe(0)
  })

  it('exits 1 when a property failed', async () => {
    expect((await run(['test', file('mapping.yaml')], '{ "name": "a", "stars": "many" }')).status).toBe(1)
    expect((await run(['test', file('mapping.yaml')], '{ "name": "a", "stars": "5" }')).status).toBe(0)
  })

  it('fails with the place of the mistake', async () => {
    expect(await run(['test', file('broken.yaml')], items)).toMatchObject({
      status: 1,
      out: expect.stringContaining('did you mean'),
    })
    expect(await run(['test', file('nothing.yaml')], items)).toMatchObject({
      status: 1,
      err: expect.stringContaining('nothing.yaml:1:1'),
    })
    expect(await run(['test', file('absent.yaml')], items)).toMatchObject({
      status: 2,
      err: expect.stringContaining('cannot be read'),
    })
    expect(await run(['test', file('mapping.yaml')], '{ "a":')).toMatchObject({
      status: 2,
      err: expect.stringContaining('is no JSON'),
    })
    expect(await run(['test', file('mapping.yaml'), '--variable', 'x'], '{}')).toMatchObject({ status: 2 })
  })
})

describe('mapping lint', () => {
  it('exits 0 on warnings, 1 on errors, and 1 on warnings when strict', async () => {
    const args = ['lint', file('mapping.yaml'), '--blueprints', file('blueprints')]
    const { status, out } = await run(args)
    expect(out).toContain(
      'mapping.yaml:11:18: warning: the variable CLUSTER is not declared and reads as null [variable_undeclared]',
    )
    expect(out).toContain('11 |         cluster: env.CLUSTER\n     |                  ^^^^^^^^^^^')
    expect(out).toContain('blueprint "service" has no property "cluster"')
    expect(status).toBe(0)
    expect((await run([...args, '--strict'])).status).toBe(1)
    expect(await run(['lint', file('broken.yaml'), file('nothing.yaml')])).toMatchObject({ status: 1 })
  })

  it('answers programs', async () => {
    const { status, out } = await run(['lint', file('broken.yaml'), '--variable', 'CLUSTER=x', '--json'])
    expect(status).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      errors: 1,
      warnings: 0,
      diagnostics: [{ code: 'expression_undefined', line: 6, column: 22 }],
    })
  })
})

describe('mapping eval', () => {
  it.each<[string[], string, number, string]>([
    [['.a'], '{"a":[1,{"b":2}],"c":{}} {"a":null}', 0, '[\n  1,\n  {\n    "b": 2\n  }\n]\nnull\n'],
    [['-c', '.'], '{"b":12345678901234567890, "a":[]}1"x"', 0, '{"b":12345678901234567890,"a":[]}\n1\n"x"\n'],
    [['-r', '.[]'], '["a",1,null]', 0, 'a\n1\nnull\n'],
    [['-n', '[limit(3; range(10))] | add'], '', 0, '3\n'],
    [['-cs', '.'], '1 2\n3', 0, '[1,2,3]\n'],
    [['-c', '.'], '{"a":"}\\"]"}"\\\\"[{"\\"{":1}]', 0, '{"a":"}\\"]"}\n"\\\\"\n[{"\\"{":1}]\n'],
    [['-e', '.'], 'false', 1, 'false\n'],
    [['-e', 'empty'], '1', 4, ''],
    [['-e', '.'], '1', 0, '1\n'],
    [['-c', '.a'], '{"a":1} 5 {"a":2}', 5, '1\n2\n'],
    [['.'], '{"a"', 2, ''],
    [['.'], '1 }', 2, '1\n'],
    [['.a |'], '1', 3, ''],
    [['input'], '1', 3, ''],
    [['-n', 'now | type'], '', 0, '"number"\n'],
    [['-n', 'env.HOME'], '', 3, ''],
  ])('%j over %s exits as jq does', async (args, input, status, out) => {
    const result = await run(['eval', ...args], input)
    expect({ status: result.status, out: result.out }).toEqual({ status, out })
    expect(result.err !== '').toBe(status === 2 || status === 3 || status === 5)
  })

  it('points at the mistake', async () => {
    expect((await run(['eval', '-n', '[1] | lenght'])).err).toBe(`error: lenght/0 is not defined
  [1] | lenght
        ^
  did you mean length?
`)
  })
})
