import { describeShippedMapping } from '../../core/testkit/shipped-mapping.ts'
import { statuspage } from './index.ts'

describeShippedMapping(statuspage, statuspage.config.parse({ pages: ['https://status.acme.example'] }))
