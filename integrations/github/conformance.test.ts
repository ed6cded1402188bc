import { describeIntegration } from '../../core/testkit/conformance.ts'
import { github } from './index.ts'
import { alertSpecs } from './kinds/alerts.ts'
import { childSpecs } from './kinds/index.ts'
import { openSource } from './source.fixture.ts'

describeIntegration(
  {
    integration: github,
    async open() {
      const source = await openSource({ repos: 12 })
      const { token, url } = source.sandbox
      // Small pages, so that kinds with few objects have several, too.
      const config = github.config.parse({ token, baseUrl: url, organizations: ['acme', 'acme-labs'], pageSize: 4 })
      return { config, source }
    },
  },
  [
    'organization',
    'repository',
    'team',
    'user',
    'team-access',
    'codeowners',
    ...childSpecs.map(({ name }) => name),
    'file',
    'folder',
    ...alertSpecs.map(({ name }) => name),
  ],
)
