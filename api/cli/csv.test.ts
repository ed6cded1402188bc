import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csv } from './csv.ts'

test('a line has its cells, whatever is in them', () => {
  expect(csv(['a', null, undefined, 3, true, ['x', 'y'], ['a b'], { c: 'd' }, 'say "hi", you'])).toBe(
    'a,,,3,true,x y,"[""a b""]","{""c"":""d""}","say ""hi"", you"',
  )
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2 }), (cells) => {
      expect(parse(csv(cells))).toEqual([cells])
    }),
  )
})
