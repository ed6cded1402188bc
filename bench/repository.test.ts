import { expect, test } from 'vitest'
import { repositories, repositoriesText } from './repository.ts'

test('the text of the items is what JSON.stringify makes of them', () => {
  for (const [first, last, changed] of [
    [0, 50, 0],
    [990, 1010, 1000],
    [5, 6, 100],
  ] as const) {
    expect(repositoriesText(first, last, changed)).toBe(JSON.stringify(repositories(first, last, changed)))
  }
})
