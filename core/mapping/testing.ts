import type { Blueprint } from '../model/blueprint.ts'
import type { Json } from '../model/json.ts'
import type { MappingOutput } from '../model/mapping.ts'
import { compileMappings, type MappingSource } from './index.ts'

/** Blueprints and short ways to run a mapping file, for the tests beside this. */
export const service: Blueprint = {
  identifier: 'service',
  schema: { properties: { language: { type: 'string' }, stars: { type: 'number' }, tags: { type: 'array' } } },
  relations: { owner: { target: 'team' }, uses: { target: 'service', many: true } },
}
export const team: Blueprint = { identifier: 'team', schema: { properties: {} }, relations: {} }

/** Throws where the file has errors. */
export function run(text: string, body: Json, options: Partial<MappingSource> = {}): readonly MappingOutput[] {
  const compiled = compileMappings({ file: 'mapping.yaml', text, ...options })
  const errors = compiled.diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return compiled.mappings.apply('repository', body, { now: 1_700_000_000 })
}

/** A mapping of one block: `entity` is what stands below `entity:`, `more` beside it. */
export function block(entity: string, more = ''): string {
  const lines = entity.split('\n').map((line) => `      ${line}`)
  return `resources:\n  - kind: repository\n${more}    entity:\n${lines.join('\n')}\n`
}

export function drafts(text: string, body: Json, options: Partial<MappingSource> = {}) {
  return run(text, body, options).flatMap((output) => (output.state === 'selected' ? output.drafts : []))
}
