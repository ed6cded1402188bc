import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { ItemResult } from '../../../core/catalog/manual/write.ts'
import type { Blueprint } from '../../../core/model/blueprint.ts'
import { parseReference } from '../../../core/model/entity.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { print, printJson } from '../output.ts'

export interface PutOptions {
  readonly file?: string
  readonly title?: string
  readonly team?: readonly string[]
  readonly replace: boolean
  readonly remove: boolean
  readonly json: boolean
}

/** Writes fields of one entity, or of all in a file; or takes away what was written about one. Exit status 1 when some are refused. */
export async function put(
  client: Client,
  reference: string | undefined,
  fields: readonly string[],
  options: PutOptions,
): Promise<number> {
  if (options.remove) return remove(client, reference, fields, options)
  const items =
    options.file === undefined ? [await itemOf(client, reference, fields, options)] : readItems(options.file)
  let refused = 0
  const answers: ItemResult[] = []
  for (let from = 0; from < items.length; from += 1000) {
    const path = `/api/v1/entities${options.replace ? '?replace=true' : ''}`
    // The shape is the server's own, of the same version.
    const answer = (await client.post(path, { items: items.slice(from, from + 1000) })) as {
      items: readonly ItemResult[]
      refused: number
    }
    refused += answer.refused
    answers.push(...answer.items.map((each) => ({ ...each, index: each.index + from })))
  }
  if (options.json) printJson({ items: answers })
  else sayResults(answers)
  return refused > 0 ? 1 : 0
}

function sayResults(results: readonly ItemResult[]): void {
  for (const { index, reference, state, exists, errors } of results) {
    const name = reference === '' ? `item ${index}` : reference
    if (state !== 'refused') {
      const waits = exists ? '' : '; no source has it yet, so it shows once one does'
      print(`${name}: ${state}${waits}`)
    }
    for (const { field, detail, hint, code } of errors)
      print(
        `${name}: refused: ${field === undefined ? '' : `${field}: `}${detail}${hint === undefined ? '' : ` ${hint}`} [${code}]`,
      )
  }
}

async function remove(
  client: Client,
  reference: string | undefined,
  fields: readonly string[],
  options: PutOptions,
): Promise<number> {
  if (reference === undefined || fields.length > 0 || options.file !== undefined)
    throw usage('--remove takes a reference and nothing else.', 'One field goes by: catchment put REFERENCE name=')
  const { blueprint, identifier } = split(reference)
  const path = `/api/v1/entities/${encodeURIComponent(blueprint)}/${encodeURIComponent(identifier)}`
  // The shape is the server's own, of the same version.
  const answer = (await client.delete(path)) as { reference: string; exists: boolean }
  if (options.json) printJson(answer)
  else print(`${answer.reference}: taken away${answer.exists ? '; what sources say stays' : '; nothing else knows it'}`)
  return 0
}

async function itemOf(
  client: Client,
  reference: string | undefined,
  fields: readonly string[],
  { title, team }: PutOptions,
): Promise<object> {
  if (reference === undefined) throw usage('What is to be written?', 'catchment put service:acme/checkout tier=gold')
  const { blueprint, identifier } = split(reference)
  const path = `/api/v1/blueprints/${encodeURIComponent(blueprint)}`
  const schema = fields.length === 0 ? undefined : ((await client.get(path)) as Blueprint)
  const properties: [string, unknown][] = []
  const relations: [string, unknown][] = []
  for (const field of fields) {
    const [, name, value] = /^([^=]+)=(.*)$/su.exec(field) ?? []
    if (name === undefined || value === undefined)
      throw usage(`${JSON.stringify(field)} is not a field.`, 'Write NAME=VALUE; NAME= takes away what was written.')
    const relation = schema?.relations[name]
    if (relation === undefined) properties.push([name, valueOf(value, schema?.schema.properties[name]?.type)])
    else relations.push([name, value === '' ? null : relation.many === true ? value.split(',') : value])
  }
  return {
    blueprint,
    identifier,
    ...(title === undefined ? {} : { title: title === '' ? null : title }),
    ...(team === undefined ? {} : { team: team.filter((name) => name !== '') }),
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
    ...(relations.length === 0 ? {} : { relations: Object.fromEntries(relations) }),
  }
}

/** A text where the blueprint wants one, else JSON, else a text after all: the server says what is wrong with it. */
function valueOf(text: string, type: string | undefined): unknown {
  if (text === '') return null
  if (type === 'string') return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function readItems(file: string): readonly unknown[] {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (cause) {
    throw new CatchmentError(`${file} cannot be read.`, {
      code: 'usage',
      exitCode: 2,
      cause,
      hint: 'Correct the name; - reads standard input.',
    })
  }
  const content: unknown = parse(text)
  const list = typeof content === 'object' && content !== null && 'items' in content ? content.items : content
  return Array.isArray(list) ? list : [list]
}

function split(text: string): { blueprint: string; identifier: string } {
  const found = parseReference(text)
  if (found !== undefined) return found
  throw new CatchmentError(`${JSON.stringify(text)} is not a reference.`, {
    code: 'reference_malformed',
    hint: 'Write blueprint:identifier, for example service:acme/checkout.',
    exitCode: 2,
  })
}

function usage(message: string, hint: string): CatchmentError {
  return new CatchmentError(message, { code: 'usage', hint, exitCode: 2 })
}
