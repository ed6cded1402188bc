import { z } from 'zod'
import { fileSchema } from './schema.ts'

/** JSON Schema as far as it is handled here. */
type Schema = { [key: string]: unknown }

/** The JSON Schema of catchment.yaml for editors; the `config` of each known integration is described by its own zod. */
export function configJsonSchema(integrations: Readonly<Record<string, { readonly config: z.ZodType }>>): Schema {
  const schema: Schema = { ...toJsonSchema(fileSchema), $id: 'catchment.schema.json', title: 'catchment.yaml' }
  const names = Object.keys(integrations).sort()
  const source = member(member(member(schema, 'properties'), 'sources'), 'items')
  member(source, 'properties')['integration'] = { type: 'string', enum: names, description: 'The kind of tool.' }
  source['allOf'] = names.map((name) => ({
    if: { properties: { integration: { const: name } } },
    // oxlint-disable-next-line unicorn/no-thenable -- "then" is a keyword of JSON Schema
    then: { properties: { config: configOf(integrations[name]?.config) } },
  }))
  return schema
}

function configOf(schema: z.ZodType | undefined): Schema {
  if (schema === undefined) return {}
  const { $schema: _, ...rest } = toJsonSchema(schema)
  return rest
}

/** As an author writes it: fields with a default may be left out. */
function toJsonSchema(schema: z.ZodType): Schema {
  return { ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) }
}

function member(schema: Schema, key: string): Schema {
  const value = schema[key]
  if (typeof value !== 'object' || value === null) throw new Error(`the schema has no "${key}"`)
  // Checked to be an object above; JSON Schema has string keys.
  return value as Schema
}
