import { describeIntegration } from '../../core/testkit/conformance.ts'
import { template } from './index.ts'
import { openSource, token } from './source.fixture.ts'

describeIntegration(
  {
    integration: template,
    async open() {
      const source = await openSource()
      return { config: template.config.parse({ token, baseUrl: source.url, projects: ['one', 'two'] }), source }
    },
  },
  ['thing'],
)
