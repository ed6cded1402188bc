import { readFileSync } from 'node:fs'

/** Of Catchment. */
export function version(): string {
  // Our own package.json.
  const parsed = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return parsed.version
}
