import { expect, test } from 'vitest'
import type { ChangeView } from '../../core/catalog/query/changes.ts'
import type { JsonObject } from '../../core/model/json.ts'
import { historyList } from './history.ts'

function change(patch: JsonObject | null, more: Partial<ChangeView> = {}): ChangeView {
  return {
    position: 'e:1',
    operation: 'updated',
    id: '1',
    reference: 'service:acme/checkout',
    blueprint: 'service',
    identifier: 'acme/checkout',
    revision: 2,
    patch,
    cause: { type: 'remap', mapping: 2 },
    at: '2026-11-28T12:00:00.000Z',
    ...more,
  }
}

/** Without markup, and with one space between words. */
function textOf(...changes: readonly ChangeView[]): string {
  const markup = String(historyList(changes, 'service:acme/checkout', Date.UTC(2026, 10, 28, 13)))
  return markup
    .replaceAll(/<(?<tag>del|ins)>/g, ' $<tag>:')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

test('each field shows what it was and what it is', () => {
  const shown = textOf(change({ 'properties.language': ['Go', 'Rust'], title: [null, 'Checkout'] }))
  expect(shown).toContain('language del:Go → ins:Rust')
  expect(shown).toContain('title nothing → ins:Checkout')
})

test('of a list it is what left and what came', () => {
  const shown = textOf(
    change({
      team: [
        ['a', 'b', 'c'],
        ['c', 'b', 'd'],
      ],
    }),
  )
  expect(shown).toContain('team del:a ins:d')
  expect(shown).not.toContain('b')
  expect(
    textOf(
      change({
        team: [
          ['a', 'b'],
          ['b', 'a'],
        ],
      }),
    ),
  ).toContain('team del:a, b → ins:b, a')
})

test('what is said is escaped, cut when it is long, and the rest of many fields is counted', () => {
  expect(String(historyList([change({ title: ['<b>', 'x'.repeat(500)] })], '', 0))).toContain('&lt;b&gt;')
  expect(textOf(change({ title: ['', 'x'.repeat(500)] }))).toContain(`ins:${'x'.repeat(160)}…`)
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`properties.p${index}`, [index, -1]]))
  expect(textOf(change(many))).toContain('and 3 more')
})

test('another name is said, the same one is not; a creation has no fields', () => {
  expect(textOf(change(null, { operation: 'created' }))).not.toContain('acme/checkout')
  const renamed = change({ identifier: ['acme/old', 'acme/checkout'] }, { operation: 'renamed' })
  expect(textOf(renamed)).toContain('identifier del:acme/old → ins:acme/checkout')
  expect(textOf(change({}, { reference: 'service:acme/old' }))).toContain('service:acme/old')
})
