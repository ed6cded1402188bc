import { loadJq } from 'jq-wasm'
import { expect, test } from 'vitest'
import { compile } from '../program.ts'
import { examples } from './examples.ts'
import { builtinNames, extensions } from './index.ts'
import { refused } from './refused.ts'

test.each(examples)('%s: %s', (_name, program, output) => {
  const outputs = compile(program, { variables: ['env'] }).all(null, { now: 0, variables: { env: { A: 'a' } } })
  expect(outputs.map((value) => JSON.stringify(value))).toEqual([JSON.stringify(JSON.parse(output))])
})

test('every builtin has an example', () => {
  const named = new Set(examples.map(([name]) => name.split('/')[0]))
  expect(builtinNames.filter((name) => !named.has(name.split('/')[0]))).toEqual([])
})

test('every name of jq 1.8.2 is there or refused, and nothing else but the listed extensions', async () => {
  const jq = await loadJq()
  expect(jq.version).toBe('jq-1.8.2')
  const theirs = new Set(jq.json<string[]>('null', 'builtins')[0])
  const ours = new Set([...builtinNames, ...Object.keys(refused)])
  expect([...theirs].filter((name) => !ours.has(name))).toEqual([])
  expect([...ours].filter((name) => !theirs.has(name)).sort()).toEqual([...extensions].sort())
  const both = Object.keys(refused).filter((name) => builtinNames.includes(name))
  expect(both).toEqual(['env/0'])
})

test('what is refused says why', () => {
  for (const [signature, reason] of Object.entries(refused)) {
    const [name = '', arity] = signature.split('/')
    const call = arity === '0' ? name : `${name}(1)`
    expect(() => compile(call)).toThrow(reason)
  }
})
