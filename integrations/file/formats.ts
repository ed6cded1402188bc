import type { FileHandle } from 'node:fs/promises'
import { extname } from 'node:path'
import { pipeline } from 'node:stream'
import { parse as parseCsv } from 'csv-parse'
import { parseAllDocuments } from 'yaml'
import { BadAnswer, isObject, type Json, LongNumber, parseJson } from '../../core/sdk/index.ts'
import type { FileConfig } from './schema.ts'

type Format = NonNullable<FileConfig['format']>

const extensions: Readonly<Record<string, Format>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.csv': 'csv',
}

/**
 * The rows of a file in their order, CSV and NDJSON without holding all of them in memory. Throws what the parser and the
 * file system throw.
 */
export async function* rows(handle: FileHandle, name: string, config: FileConfig): AsyncGenerator<Json> {
  const format = config.format ?? extensions[extname(name).toLowerCase()]
  if (format === undefined) {
    throw new BadAnswer(
      `it is not clear what format it has: set \`format\`, or name it ${Object.keys(extensions).join(', ')}`,
    )
  }
  if (format === 'csv') yield* csv(handle, config)
  else if (format === 'ndjson') yield* ndjson(handle)
  else {
    const text = (await handle.readFile('utf8')).replace(/^\uFEFF/, '')
    for (const document of format === 'json' ? [parseJson(text)] : yaml(text)) yield* listed(document)
  }
}

/** A list, `{"items": [...]}`, or a single object. */
function listed(document: Json): readonly Json[] {
  const list = isObject(document) ? (document['items'] ?? document) : document
  return isArray(list) ? list : [document]
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value)

/** Several documents in a file, each of which may be a list. What YAML has beyond JSON (`.nan`) becomes null. */
function yaml(text: string): readonly Json[] {
  const documents = parseAllDocuments(text, { intAsBigInt: true })
  if (!Array.isArray(documents) || documents.length === 0) throw new Error('the file is empty; no rows is written []')
  return documents.map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return parseJson(JSON.stringify(document.toJS({ reviver: (_key, value: unknown) => wholeNumber(value) })))
  })
}

function wholeNumber(value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : new LongNumber(String(value))
}

async function* csv(handle: FileHandle, { delimiter, key }: FileConfig): AsyncGenerator<Json> {
  let header = false
  const columns = (cells: readonly string[]): (string | false)[] => {
    header = true
    return columnNames(cells, key)
  }
  const parser = parseCsv({ bom: true, delimiter, columns, skip_empty_lines: true })
  // Errors of either come out of the parser.
  pipeline(handle.createReadStream({ autoClose: false }), parser, () => undefined)
  // The parser makes an object of texts of each row.
  for await (const row of parser) yield row as Json
  if (!header) throw new Error('the file is empty; one without rows has a line of column names')
}

/** One without a name is left out. A wrong delimiter shows here: then there is one long name and no key. */
function columnNames(cells: readonly string[], key: FileConfig['key']): (string | false)[] {
  const names = cells.map((cell) => cell.trim())
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index)
  if (twice !== undefined) throw new Error(`two columns are called ${twice}`)
  if (!key.some((name) => names.includes(name))) {
    const found = names.join(' | ').slice(0, 200)
    throw new Error(`no column is called ${key.join(' or ')} (set \`key\`, or \`delimiter\`); there is: ${found}`)
  }
  return names.map((name) => name || false)
}

async function* ndjson(handle: FileHandle): AsyncGenerator<Json> {
  let rest = ''
  for await (const chunk of handle.createReadStream({ encoding: 'utf8', autoClose: false })) {
    // With an encoding, chunks are text.
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield parseJson(line)
  }
  if (rest.trim() !== '') yield parseJson(rest)
}
