import { BadAnswer, isObject, type Json, type JsonObject, LongNumber } from '../../core/sdk/index.ts'
import type { FileConfig } from './schema.ts'

export type Item = JsonObject & { readonly file: string }

/** A row as it is, and the file that it stands in. Throws BadAnswer for anything else. */
export function itemOf(value: Json): Item {
  if (isObject(value) && typeof value['file'] === 'string') return { ...value, file: value['file'] }
  throw new BadAnswer('a row is an object that names its file')
}

/** The same value in two files is two things: a service and a team may share a name. */
export function keyOf(value: Json, fields: FileConfig['key']): string {
  const item = itemOf(value)
  const id = fields.map((name) => scalar(item, name)).find((found) => found !== undefined)
  if (id !== undefined) return `${item.file}#${id}`
  throw new BadAnswer(`a row of ${item.file} has no ${fields.join(' and no ')}`)
}

/** Numbers are padded, since versions are compared as text. */
export function versionOf(value: Json, name: string): string | undefined {
  return scalar(itemOf(value), name, 16)
}

function scalar(item: Json, name: string, width = 0): string | undefined {
  const path = name.startsWith('/') ? name.slice(1).split('/') : [name]
  let found: Json | undefined = item
  for (const step of path) found = isObject(found) ? found[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  if (found instanceof LongNumber) return found.digits.padStart(width, '0')
  if (typeof found === 'number' && Number.isSafeInteger(found)) return String(found).padStart(width, '0')
  return typeof found === 'string' && found !== '' ? found : undefined
}
