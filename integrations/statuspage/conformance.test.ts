import { expect, test } from 'vitest'
import { describeIntegration } from '../../core/testkit/conformance.ts'
import { statuspage } from './index.ts'
import { orderable } from './schema.ts'
import { openSource } from './source.fixture.ts'

describeIntegration(
  {
    integration: statuspage,
    async open() {
      const source = await openSource()
      return { config: statuspage.config.parse({ pages: [`${source.url}/`] }), source }
    },
  },
  ['component', 'incident'],
)

test('times of every zone are one form', () => {
  expect(orderable('2026-01-02T04:04:05.678+01:00')).toBe('2026-01-02T03:04:05.678Z')
  expect(orderable('soon')).toBeUndefined()
  expect(orderable(null)).toBeUndefined()
})
