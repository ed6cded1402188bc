import { describeShippedMapping } from '../../core/testkit/shipped-mapping.ts'
import { github } from './index.ts'

describeShippedMapping(github, github.config.parse({ token: 'none', organizations: ['acme'] }))
