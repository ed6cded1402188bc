import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runGoldens } from './goldens.ts'

const corpus = process.env['CATCHMENT_CORPUS'] ?? fileURLToPath(new URL('../../../shared/corpus', import.meta.url))

it('loads every mapping file of the corpus and equals every golden', () => {
  const { goldens, failures, files } = runGoldens([`${corpus}/mappings`])
  expect(failures).toEqual([])
  expect(files.filter(({ errors }) => errors.length > 0)).toEqual([])
  expect(goldens).toBeGreaterThanOrEqual(81)
  expect(files.length).toBeGreaterThanOrEqual(18)
})
