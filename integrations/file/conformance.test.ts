import type { Integration } from '../../core/sdk/index.ts'
import { describeIntegration } from '../../core/testkit/conformance.ts'
import { file } from './index.ts'
import type { FileConfig } from './schema.ts'
import { openFolder } from './source.fixture.ts'

/** Knows its folder only once the source is open. */
let folder = ''
const here: Integration<FileConfig> = {
  ...file,
  connect: (config, tools) => file.connect(config, { ...tools, folder }),
}

describeIntegration(
  {
    integration: here,
    unlimited: true,
    async open() {
      const source = await openFolder()
      folder = source.folder
      return { config: file.config.parse({ paths: ['a-services.json', './*.{csv,yaml,ndjson}'] }), source }
    },
  },
  ['item'],
)
