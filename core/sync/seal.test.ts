import { expect, it } from 'vitest'
import type { Parent } from '../catalog/stored.ts'
import { bytesSealOf, sealOf } from './seal.ts'
import { TestSource } from './testing/source.ts'

it('a page with other keys, other hashes, another order or another mapping version has another seal', () => {
  const hashes = Buffer.from('0'.repeat(32) + '1'.repeat(32), 'hex')
  const other = Buffer.from('0'.repeat(32) + '2'.repeat(32), 'hex')
  const seals = [
    sealOf(1, ['a', 'b'], hashes),
    sealOf(2, ['a', 'b'], hashes),
    sealOf(1, ['b', 'a'], hashes),
    sealOf(1, ['a', 'b'], other),
    sealOf(1, ['a","b'], hashes),
    sealOf(1, [], Buffer.alloc(0)),
  ]
  expect(new Set(seals.map((seal) => seal.toString('hex'))).size).toBe(6)
  expect(sealOf(1, ['a', 'b'], hashes)).toEqual(seals[0])
})

it('the bytes of a page are sealed for one reader, mapping version, partition and parent of it', () => {
  const kinds = [new TestSource(), new TestSource()].flatMap(({ connection }) => connection.kinds)
  const [kind, other] = kinds
  if (kind === undefined || other === undefined) throw new Error('there are two')
  const partition = (name: string, parent?: Parent) => ({ name, parent })
  const of = (reader = kind, where = partition('north'), mapping = 1, bytes = 'text') =>
    bytesSealOf(reader, where, mapping, Buffer.from(bytes)).toString('hex')
  const seals = [
    of(),
    of(other),
    of({ ...kind }),
    of(kind, partition('south')),
    of(kind, partition('north', { kind: 'group', key: 'a' })),
    of(kind, partition('north', { kind: 'group', key: 'b' })),
    of(kind, partition('north'), 2),
    of(kind, partition('north'), 1, 'other'),
    of(kind, partition('north'), 1, ''),
  ]
  expect(new Set(seals).size).toBe(seals.length)
  expect(of()).toBe(seals[0])
})
