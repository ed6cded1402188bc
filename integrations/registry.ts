import type { Integration } from '../core/sdk/index.ts'
import { file } from './file/index.ts'
import { github } from './github/index.ts'
import { statuspage } from './statuspage/index.ts'

/** Every integration by the name that `integration:` of a source uses. A test holds it against the folders. */
export const registry: Readonly<Record<string, Integration>> = {
  file,
  github,
  statuspage,
}
