import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import type { Api, Context } from './context.ts'
import { problems, text } from './routes/schemas.ts'

/** Senders cap their bodies below this; GitHub at 25 MB. */
const bodyLimit = 25 * 1024 * 1024

/**
 * The raw bytes go to the engine, which verifies them, commits them to the inbox, and only then resolves: nothing is
 * acknowledged that could be lost (I6). Everything else is an error, and no error is a 2xx.
 */
export function webhookRoutes(app: Api, { engine }: Context): void {
  // A signature covers bytes, not what a parser makes of them, whatever type the sender says they have.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => {
    done(null, body)
  })

  app.post(
    '/webhooks/:source',
    {
      bodyLimit,
      config: { access: 'open' },
      schema: {
        tags: ['webhooks'],
        summary: 'Deliveries of a source; authenticated by their signature',
        security: [],
        params: z.object({ source: text }),
        response: {
          202: z.object({
            id: z.string().describe("The source's own id of the delivery."),
            outcome: z.enum(['accepted', 'duplicate']),
            event: z.string(),
          }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const accepted = await engine.deliver(request.params.source, { headers: plain(request.headers), body })
      return reply.code(202).send(accepted)
    },
  )
}

/** One text a name; names are lower case already. */
function plain(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  )
  return Object.fromEntries(entries)
}
