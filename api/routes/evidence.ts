import { z } from 'zod'
import { deliveryStates, getDelivery, listDeliveries, replayDelivery } from '../../core/catalog/query/deliveries.ts'
import { listQuarantine } from '../../core/catalog/query/quarantine.ts'
import { getRecord, listRecords } from '../../core/catalog/query/records.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { array, id, json, list, mappingProblem, object, paging, problems, reference, text, time } from './schemas.ts'

const quarantined = z
  .object({
    source: z.string(),
    kind: z.string(),
    key: z.string(),
    locator: object,
    partition: z.string().nullable().describe('Of an object that could not be read or kept: where it was seen.'),
    mapping: z.string().describe('Empty when no mapping has seen it: the object itself was refused.'),
    item: z.string().describe('Empty when the whole mapping failed on the record.'),
    problem: mappingProblem,
    since: time,
  })
  .meta({ id: 'Quarantined' })

const delivery = z
  .object({
    id: z.string(),
    source: z.string(),
    delivery: z.string().describe("The source's own id of it."),
    event: z.string(),
    state: z.enum(deliveryStates),
    attempts: z.int(),
    error: json.describe('Why it was set aside.'),
    bytes: z.int(),
    receivedAt: time,
    settledAt: time.nullable(),
  })
  .meta({ id: 'Delivery' })

const record = z
  .object({
    id: z.string(),
    source: z.string(),
    kind: z.string(),
    key: z.string(),
    state: z.enum(['live', 'gone']),
    version: z.string().nullable(),
    locator: object,
    mappingVersion: z.int(),
    gone: json.describe('Why it is gone, by what, when.'),
  })
  .meta({ id: 'Record' })

const recordDetail = record
  .extend({
    body: json.describe('Canonical, as mappings see it.'),
    partitions: array(z.object({ name: z.string(), state: z.string(), present: z.boolean() })),
    contributions: array(z.object({ mapping: z.string(), item: z.string(), owning: z.boolean(), reference })),
  })
  .meta({ id: 'RecordDetail' })

const scope = { source: text.optional(), kind: text.optional() }

/** What the catalog is made of, and what could not be made into it. */
export function evidenceRoutes(app: Api, { db, engine }: Context): void {
  app.get(
    '/quarantine',
    {
      schema: {
        tags: ['evidence'],
        summary:
          'Records that a mapping failed on, and objects that could not be read or kept; what they said before is kept',
        querystring: z.strictObject({ ...scope, ...paging }),
        response: { 200: list(quarantined), ...problems },
      },
    },
    async ({ query }) => listQuarantine(db, defined(query)),
  )

  app.get(
    '/deliveries',
    {
      schema: {
        tags: ['evidence'],
        summary: 'Webhook deliveries, newest first',
        querystring: z.strictObject({
          source: text.optional(),
          state: z.enum(deliveryStates).optional(),
          ...paging,
        }),
        response: { 200: list(delivery), ...problems },
      },
    },
    async ({ query }) => listDeliveries(db, defined(query)),
  )

  app.get(
    '/deliveries/:id',
    {
      schema: {
        tags: ['evidence'],
        summary: 'One delivery with its body',
        params: z.object({ id }),
        response: { 200: delivery.extend({ body: z.string() }).meta({ id: 'DeliveryDetail' }), ...problems },
      },
    },
    async ({ params }) => getDelivery(db, params.id),
  )

  app.post(
    '/deliveries/:id/replay',
    {
      schema: {
        tags: ['evidence'],
        summary: 'Try a delivery again that was set aside',
        params: z.object({ id }),
        response: { 202: z.object({ id: z.string(), state: z.enum(deliveryStates) }), ...problems },
      },
    },
    async ({ params }, reply) => {
      await replayDelivery(db, params.id)
      engine.wake()
      return reply.code(202).send({ id: params.id, state: 'accepted' })
    },
  )

  app.get(
    '/records',
    {
      schema: {
        tags: ['evidence'],
        summary: 'What the sources have, without bodies',
        querystring: z.strictObject({ ...scope, state: z.enum(['live', 'gone']).optional(), ...paging }),
        response: { 200: list(record), ...problems },
      },
    },
    async ({ query }) => listRecords(db, defined(query)),
  )

  app.get(
    '/records/:source/:kind/:key',
    {
      schema: {
        tags: ['evidence'],
        summary: 'One record with its canonical body',
        params: z.object({ source: text, kind: text, key: text }),
        response: { 200: recordDetail, ...problems },
      },
    },
    async ({ params: { source, kind, key } }) => {
      const found = await getRecord(db, source, kind, key)
      if (found !== undefined) return found
      throw new CatchmentError(`No record ${source}/${kind}/${key} was ever seen.`, {
        code: 'record_unknown',
        status: 404,
        hint: 'The key is the immutable id that the source uses, not a name. List them: GET /api/v1/records',
      })
    },
  )
}
