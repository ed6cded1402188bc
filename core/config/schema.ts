import { validate } from 'node-cron'
import { z } from 'zod'

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 }

const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(s|m|h|d)$/, 'a duration is a number and a unit: 30s, 15m, 1h, 2d')
  .describe('A number and a unit: 30s, 15m, 1h, 2d.')

/** Objective of kinds that are told none. */
export const usualFreshness = '1h'

/** How long history is kept where nothing else is said. */
export const usualHistory = '400d'

const share = z
  .union([z.number().min(0).max(1), z.string().regex(/^\d{1,2}(\.\d+)?%$|^100%$/, 'a share is 0% to 100%, or 0 to 1')])
  .describe('0% to 100%, or 0 to 1.')

const cron = z
  .string()
  .refine(
    (text) => /^\S+(\s+\S+){4,5}$/.test(text.trim()) && validate(text),
    'cron has five fields, or six with seconds: "*/30 * * * *"',
  )

const port = z
  .union([z.int().min(0).max(65535), z.string().regex(/^\d{1,5}$/, 'a port is a number from 0 to 65535')])
  .describe('0 takes a free one.')

const path = z.string().min(1)

const kept = z.enum(['all', 'hash'])

export const sourceSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a name has small letters, digits, - and _, as it is part of a URL')
    .describe('Its name in the catalog and in its webhook address /webhooks/NAME.'),
  integration: z.string().min(1).describe('The kind of tool.'),
  config: z.record(z.string(), z.json()).default({}).describe('What the integration needs: credentials and scope.'),
  mapping: path.optional().describe('Mapping file, relative to this file. Default: the shipped one.'),
  blueprints: path
    .optional()
    .describe('File or folder of blueprints, relative to this file. Default: the shipped ones.'),
  kinds: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Kinds to scan. Default: those of the integration that cost little.'),
  keep: z
    .union([kept, z.record(z.string().min(1), kept)])
    .default('all')
    .describe(
      'What is stored of each object: all that mappings may read, or only a hash. One for all, or by kind: { default: all, user: hash }.',
    ),
  drop: z
    .record(z.string().min(1), z.array(z.string().min(1)))
    .default({})
    .describe(
      'Fields that are dropped before anything is stored, by kind: { repository: [description, owner.email] }.',
    ),
  schedule: z
    .strictObject({
      scan: cron.default('*/30 * * * *').describe('When to scan, as cron of five fields, or six with seconds.'),
      freshness: z
        .union([duration, z.record(z.string().min(1), duration)])
        .default(usualFreshness)
        .describe(
          'After this long without a complete scan a kind counts as stale. One for all, or by kind: { default: 1h, user: 1d }.',
        ),
    })
    .prefault({}),
  variables: z
    .record(
      z.string().regex(/^[A-Za-z_]\w*$/, 'a variable has letters, digits and _'),
      z.union([z.string(), z.number(), z.boolean()]),
    )
    .default({})
    .describe('What mappings may read as env.NAME.'),
  guard: z
    .strictObject({
      share: share.default('25%').describe('Above this share of a kind, deletions are held for a person.'),
      minimum: z.int().min(0).default(5).describe('So many deletions pass whatever their share.'),
    })
    .prefault({}),
  quota: z
    .strictObject({
      reserve: share.default('40%').describe("Share of the rate limit left to the credential's other users."),
    })
    .prefault({}),
  webhooks: z
    .strictObject({
      manage: z
        .boolean()
        .default(false)
        .describe(
          'May Catchment make, mend and remove its webhook at the source, and ask for missed deliveries? Without, it writes nothing there.',
        ),
      url: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          'With manage: the address that the source reaches this server under, without /webhooks/NAME. Default: the one it listens on.',
        ),
      secret: z
        .string()
        .min(1)
        .optional()
        .describe('The secret that deliveries are signed with. With manage the default is one that Catchment makes.'),
    })
    .prefault({}),
})

export const fileSchema = z
  .strictObject({
    sources: z.array(sourceSchema).default([]).describe('The tools to keep the catalog in step with.'),
    precedence: z
      .array(z.string())
      .optional()
      .describe(
        'Whose word counts first where two disagree: names of sources, and "manual". Default: manual, then as listed.',
      ),
    server: z
      .strictObject({
        host: z.string().min(1).optional().describe('Address to listen on. Default 127.0.0.1.'),
        port: port.optional().describe('Port to listen on. Default 7100; 0 takes a free one.'),
      })
      .prefault({}),
    history: z
      .strictObject({
        keep: duration
          .default(usualHistory)
          .describe('How long history and change feed are kept at least; a month goes as a whole.'),
      })
      .prefault({}),
  })
  .describe('catchment.yaml')

export type FileContent = z.output<typeof fileSchema>
export type SourceContent = z.output<typeof sourceSchema>

/** Seconds of a duration that the schema let through. */
export function seconds(text: string): number {
  return Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? 1)
}

/** 0 to 1 of a share that the schema let through. */
export function fraction(value: number | string): number {
  return typeof value === 'number' ? value : Number(value.slice(0, -1)) / 100
}
