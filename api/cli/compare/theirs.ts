import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { CatchmentError } from '../../../core/sdk/index.ts'
import { backstageEntity, backstageSchema, isGenerated } from './backstage.ts'
import type { Theirs } from './differ.ts'

export interface Export {
  readonly format: 'port' | 'backstage'
  readonly entities: readonly Theirs[]
}

const fields = z.record(z.string(), z.json())

const portSchema = z.looseObject({
  identifier: z.string().min(1),
  blueprint: z.string().min(1),
  title: z.string().nullish(),
  team: z.union([z.string(), z.array(z.string())]).nullish(),
  properties: fields.nullish(),
  relations: fields.nullish(),
})

function portEntity({
  identifier,
  blueprint,
  title,
  team,
  properties,
  relations,
}: z.output<typeof portSchema>): Theirs {
  return {
    blueprint,
    identifier,
    ...(title === undefined ? {} : { title }),
    ...(team === undefined ? {} : { team: team === null ? [] : [team].flat() }),
    properties: properties ?? {},
    relations: relations ?? {},
  }
}

/** Reads an export; `-` is standard input. Throws `export_unreadable` or `export_invalid`. */
export function readExport(file: string): Export {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (cause) {
    throw new CatchmentError(`${file} cannot be read.`, {
      code: 'export_unreadable',
      exitCode: 2,
      cause,
      hint: 'Correct the name; - reads standard input.',
    })
  }
  return parseExport(text, file)
}

/** `{"entities": [...]}` of Port, `{"items": [...]}` or a list of Backstage; of each the other form is read as well. */
export function parseExport(text: string, file: string): Export {
  const list = listIn(parsed(text, file))
  if (list === undefined || list.length === 0)
    throw invalid(`${file} has no entities.`, list === undefined ? 'It is neither a list nor has one.' : undefined)
  const byReference = new Map<string, Theirs>()
  let backstage = 0
  for (const [index, item] of list.entries()) {
    const read = backstageSchema.safeParse(item)
    if (read.success) backstage += 1
    if (read.success && isGenerated(read.data)) continue
    const found = read.success ? backstageEntity(read.data) : port(item, index, file)
    // The later page of two that overlap is the newer one.
    byReference.set(`${found.blueprint}:${found.identifier}`, found)
  }
  return { format: backstage > 0 ? 'backstage' : 'port', entities: [...byReference.values()] }
}

function port(item: unknown, index: number, file: string): Theirs {
  const read = portSchema.safeParse(item)
  if (read.success) return portEntity(read.data)
  const [issue] = read.error.issues
  const where = ['', ...(issue?.path ?? [])].map(String).join('.')
  throw invalid(
    `${file}: entity ${index + 1}: ${where === '' ? 'it' : where.slice(1)}: ${issue?.message ?? 'has another shape'}.`,
  )
}

function parsed(text: string, file: string): unknown {
  try {
    // Windows' tools begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch (cause) {
    throw invalid(`${file} is not valid JSON: ${cause instanceof Error ? cause.message : ''}.`)
  }
}

function listIn(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return undefined
  for (const name of ['entities', 'items']) {
    const list: unknown = Object.entries(value).find(([key]) => key === name)?.[1]
    if (Array.isArray(list)) return list
  }
  return undefined
}

function invalid(message: string, detail?: string): CatchmentError {
  return new CatchmentError(message, {
    code: 'export_invalid',
    exitCode: 2,
    hint: `${detail === undefined ? '' : `${detail} `}Port: GET /v1/blueprints/BLUEPRINT/entities. Backstage: GET /api/catalog/entities.`,
  })
}
