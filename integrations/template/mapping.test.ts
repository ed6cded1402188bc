import { describeShippedMapping } from '../../core/testkit/shipped-mapping.ts'
import { template } from './index.ts'

describeShippedMapping(template, template.config.parse({ token: 'none', projects: ['one'] }))
