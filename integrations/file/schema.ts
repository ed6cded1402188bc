import { z } from 'zod'

const field = z.string().min(1)

export const fileConfig = z.strictObject({
  paths: z
    .array(z.string().min(1))
    .min(1)
    .describe('Files, as paths or globs (`services/*.yaml`), relative to the folder of catchment.yaml.'),
  format: z
    .enum(['json', 'ndjson', 'yaml', 'csv'])
    .optional()
    .describe('Default: by the extension of each file (.json, .ndjson or .jsonl, .yaml or .yml, .csv).'),
  key: z
    .union([field, z.array(field).min(1)])
    .default(['id', 'name'])
    .transform((key) => (typeof key === 'string' ? [key] : key))
    .describe(
      'What tells rows of a file apart: a field or a pointer (/metadata/name). Of several, the first that is set.',
    ),
  version: field
    .optional()
    .describe('A field or pointer that grows with each change: a time in UTC or a whole number.'),
  delimiter: z.string().length(1).default(',').describe('What stands between the cells of a CSV file.'),
})
export type FileConfig = z.output<typeof fileConfig>
