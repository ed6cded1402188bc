import type { Sites } from './api.ts'

interface License {
  key: string
  name: string
  spdx_id: string
  url: string | null
  node_id: string
}

const known: Readonly<Record<string, readonly [name: string, spdx: string, node: string]>> = {
  'apache-2.0': ['Apache License 2.0', 'Apache-2.0', 'MDc6TGljZW5zZTI='],
  mit: ['MIT License', 'MIT', 'MDc6TGljZW5zZTEz'],
}

export function licenseOf(at: Sites, key: string | null): License | null {
  const found = key === null ? undefined : known[key]
  if (key === null || found === undefined) return null
  return { key, name: found[0], spdx_id: found[1], url: `${at.api}/licenses/${key}`, node_id: found[2] }
}
