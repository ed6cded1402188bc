import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { documentOf, same } from './document.ts'

/** What jsonb gives back: no -0, and members of every name are an object's own. */
const json = fc.json({ maxDepth: 3 }).map((text): unknown => JSON.parse(JSON.stringify(JSON.parse(text))))

/** The same value with the members of every object the other way round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, each]) => [name, turned(each)]),
  )
}

test('two values are the same when they are as JSON, in whatever order their members are', () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      expect(same(left, turned(left))).toBe(true)
      expect(same(left, right)).toBe(isDeepStrictEqual(left, right))
      expect(same([left, 1], [left, 2])).toBe(false)
    }),
  )
  const member = (text: string): unknown => JSON.parse(text)
  expect(same(member('{"__proto__":{"a":1}}'), member('{"__proto__":{"a":1}}'))).toBe(true)
  expect(same(member('{"__proto__":{"a":1}}'), member('{"__proto__":{"a":2}}'))).toBe(false)
  expect(same(member('{"__proto__":{}}'), member('{"b":{}}'))).toBe(false)
  expect(same(member('{"toString":null}'), member('{"b":null}'))).toBe(false)
})

test('a document holds no text that the server refuses, whatever is called how', () => {
  const properties = JSON.parse('{"a\\u0000":["\\ud800",{"b":"\\u0000"}],"__proto__":"c","d":null}') as Record<
    string,
    string
  >
  const draft = { blueprint: 'b', identifier: 'i', title: 't\0', team: [], properties, relations: {}, failed: [] }
  const { title, properties: said } = documentOf(draft)
  expect(title).toBe('t\ufffd')
  expect(JSON.stringify(said)).toBe('{"a\ufffd":["\ufffd",{"b":"\ufffd"}],"__proto__":"c"}')
})
