import { describeShippedMapping } from '../../core/testkit/shipped-mapping.ts'
import { file } from './index.ts'

describeShippedMapping(file, file.config.parse({ paths: ['any.json'] }))
