import type { GithubSource } from '../source.fixture.ts'
import { contentRows } from './content.fixture.ts'
import { organizationRows } from './organization.fixture.ts'
import { handsOf, type Row } from './row.fixture.ts'
import { workRows } from './work.fixture.ts'

/** A row for every kind. The columns are those of `Row`; `source` is called only when a test runs. */
export function tableOf(source: () => GithubSource): readonly Row[] {
  const hands = handsOf(source)
  return [...organizationRows(hands), ...workRows(hands), ...contentRows(hands)]
}
