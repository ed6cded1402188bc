import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileMappings } from '../core/mapping/index.ts'
import { builtinNames, compile, refused } from '../core/mapping/jq/index.ts'
import type { Json } from '../core/model/json.ts'

const text = readFileSync(new URL('mapping.md', import.meta.url), 'utf8')

/** Fenced blocks by what stands behind the backticks, in order. */
const blocks = [...text.matchAll(/^```(\w+) (\w+)\n([\s\S]*?)^```$/gm)].map(([, , name = '', body = '']) => ({
  name,
  body,
}))

const examples = blocks
  .filter(({ name }) => name === 'builtins')
  .flatMap(({ body }) => body.trimEnd().split('\n'))
  .map((line) => {
    const [, name = '', program = '', outputs = ''] = /^(\S+)\s+(.+?) {2}⇒ (.+)$/.exec(line) ?? []
    return { line, name, program, outputs }
  })

describe('the builtins of docs/mapping.md', () => {
  it('are those of the code, each once and with an example that uses it', () => {
    expect(examples.map(({ name }) => name).sort()).toEqual([...builtinNames].sort())
    for (const { name, program } of examples) expect(program, name).toContain(name.split('/')[0])
  })

  it.each(examples)('$line', ({ program, outputs }) => {
    const given = compile(program, { variables: ['env'] }).all(null, { now: 0, variables: { env: {} } })
    expect(given.map((value) => JSON.stringify(value)).join(' ')).toBe(outputs)
  })

  it('leave out what is refused, with the reasons of the code', () => {
    const rows = [...text.slice(text.indexOf('## Refused')).matchAll(/^\| `(\S+)` \| (.+) \|$/gm)]
    expect(Object.fromEntries(rows.map(([, name, reason]) => [name, reason]))).toEqual(refused)
  })
})

describe('the mappings of docs/mapping.md', () => {
  const mappings = blocks.flatMap(({ name, body }, at) =>
    name === 'mapping' ? [{ mapping: body, input: blocks[at + 1], entities: blocks[at + 2] }] : [],
  )

  it.each(mappings)('give what stands below them (%#)', ({ mapping, input, entities }) => {
    const { mappings: compiled, diagnostics } = compileMappings({ file: 'mapping.md', text: mapping })
    expect(diagnostics.filter(({ code }) => code !== 'identifier_part')).toEqual([])
    const [kind = ''] = compiled.kinds
    // JSON.parse gives JSON.
    const outputs = compiled.apply(kind, JSON.parse(input?.body ?? '') as Json, { now: 0 })
    const drafts = outputs.flatMap((output) => (output.state === 'selected' ? output.drafts : []))
    const wanted = JSON.parse(entities?.body ?? '') as object[]
    expect(drafts.map(({ draft }) => draft)).toEqual(wanted.map((entity) => ({ ...entity, failed: [] })))
  })

  it('are there', () => {
    expect(mappings.length).toBeGreaterThanOrEqual(3)
  })

  /** Keys of a table under a heading, against those that a file with a wrong key is told about. */
  it.each([
    [
      '### Of the file',
      'wrong: 1\nresources: [{ kind: a, port: {} }]',
      [
        'resources',
        'createMissingRelatedEntities',
        'deleteDependentEntities',
        'enableMergeEntity',
        'entityDeletionThreshold',
      ],
    ],
    [
      '### Of a mapping',
      'resources: [{ kind: a, wrong: 1 }]',
      ['kind', 'selector', 'entity', 'itemsToParse', 'itemsToParseName', 'itemsToParseTopLevelTransform'],
    ],
    [
      '### Of an entity',
      'resources: [{ kind: a, entity: { wrong: 1 } }]',
      ['identifier', 'title', 'blueprint', 'team', 'icon', 'properties', 'relations', 'weak'],
    ],
  ])('name every key: %s', (heading, file, keys) => {
    const { diagnostics } = compileMappings({ file: 'f', text: file, options: [] })
    const told = diagnostics.find(({ message }) => message.includes('"wrong"'))?.hint
    expect(told).toBe(`known here: ${keys.join(', ')}`)
    const section = text.slice(text.indexOf(heading)).split('\n\n')[1] ?? ''
    const rows = [...section.matchAll(/^\| `(\S+)` \|/gm)].map(([, key]) => key)
    expect(new Set(rows.filter((key) => key !== 'port'))).toEqual(new Set(keys))
  })
})

it('docs/mapping.md names every finding of a mapping or blueprint file', () => {
  const folder = new URL('../core/mapping/', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const code = sources.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  // Calls of the report, and the codes that are handed to `mustGive`.
  const found = [...code.matchAll(/(?:\.(?:error|warning)\(\s*|types?[.\w| ]*, )'([a-z_]+)'/g)].map(([, name]) => name)
  const raised = ['expression_syntax', 'expression_refused', 'expression_undefined', 'selector_type', 'items_type']
  const section = text.slice(text.indexOf('## Findings'), text.indexOf('## Builtins'))
  const rows = [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name)
  expect(new Set(rows)).toEqual(new Set([...found, ...raised]))
})
