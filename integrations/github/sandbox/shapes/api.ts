import type { components, operations } from '@octokit/openapi-types'

export type Schemas = components['schemas']
export type Operation = keyof operations

/** Addresses inside bodies: `api` without a trailing slash for the API, `web` for pages. */
export interface Sites {
  readonly api: string
  readonly web: string
}

/** GitHub's newer node ids: a prefix and the MessagePack of [0, ...numbers] in base64. */
export function nodeId(
  prefix: 'R' | 'U' | 'O' | 'T' | 'PR' | 'I' | 'RE' | 'REF' | 'W' | 'WFR' | 'EN' | 'DE' | 'DES' | 'LA' | 'B',
  ...ids: number[]
): string {
  const bytes = Buffer.alloc(2 + ids.length * 5)
  bytes.writeUInt8(0x91 + ids.length, 0)
  for (const [i, id] of ids.entries()) {
    bytes.writeUInt8(0xce, 2 + i * 5)
    bytes.writeUInt32BE(id, 3 + i * 5)
  }
  return `${prefix}_${bytes.toString('base64url')}`
}
