import { z } from 'zod'
import { getBlueprint, listBlueprints } from '../../core/catalog/query/blueprints.ts'
import { latestChanges } from '../../core/catalog/query/changes.ts'
import { type EntityList, listEntities } from '../../core/catalog/query/entities.ts'
import { getEntity } from '../../core/catalog/query/entity.ts'
import { decideAllHeld, decideHeld, listHeld } from '../../core/catalog/query/held.ts'
import { readLine } from '../../core/catalog/query/line/index.ts'
import { listSources } from '../../core/catalog/query/sources.ts'
import { parseReference, reference } from '../../core/model/entity.ts'
import { withVersions } from '../../core/plan/annotate.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import { crossSite, sameOrigin } from '../auth.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { answer } from '../problem.ts'
import { withFreshness } from '../routes/entities.ts'
import { explainNow } from '../routes/explain.ts'
import { cursor, id, text } from '../routes/schemas.ts'
import { assetRoutes } from './assets.ts'
import { absentPage, entityPage } from './entity.ts'
import { heldPage } from './held.ts'
import type { Html } from './html.ts'
import { type Frame, layout } from './layout.ts'
import { loginPage, problemPage } from './login.ts'
import { type Overview, overviewPage, overviewParts } from './overview.ts'
import { entityPath } from './parts.ts'
import { resultsPage } from './results.ts'

const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type Named = NonNullable<ReturnType<typeof parseReference>>

const page = { access: 'page' } as const
const hidden = { hide: true } as const
const shownHeld = 500
const optionalText = z.string().max(1000).optional()

/** The pages a person sees first: rendered here, usable without a script; only the live feed needs one. */
export function pageRoutes(app: Api, context: Context): void {
  const { db, engine } = context
  const send = (frame: Frame, body: Html): string => layout(frame, body)
  const heldNow = async (): Promise<number> => (await listHeld(db, { limit: shownHeld })).items.length

  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body.toString())))
  })
  app.addHook('onSend', async (_request, reply) => {
    // Referrers stay within: they tell the origin of a form, and no address to others.
    void reply.headers({ 'content-security-policy': policy, 'referrer-policy': 'same-origin' })
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store')
  })
  app.addHook('preHandler', async (_request, reply) => {
    void reply.type('text/html; charset=utf-8')
  })
  app.setErrorHandler((error, request, reply) => {
    const { problem, unexpected } = answer(error, request)
    if (unexpected) context.log.error({ error, requestId: request.id }, 'A page failed')
    const body = problem.status === 401 ? loginPage(problem.detail) : problemPage(problem)
    void reply
      .code(problem.status)
      .type('text/html; charset=utf-8')
      .send(send({ title: problem.title }, body))
  })
  assetRoutes(app)

  app.get('/', { config: page, schema: hidden }, async () => {
    const overview = await readOverview(context)
    const held = overview.sources.flatMap((source) => source.kinds).reduce((sum, kind) => sum + kind.held, 0)
    return send({ title: 'Overview', held }, overviewPage(overview))
  })

  app.get(
    '/parts/overview',
    { config: page, schema: hidden },
    async () => overviewParts(await readOverview(context)).text,
  )

  app.get(
    '/entities',
    {
      config: page,
      schema: { ...hidden, querystring: z.object({ q: optionalText, blueprint: optionalText, cursor }) },
    },
    async ({ query }) => {
      const q = query.q?.trim() === '' ? undefined : query.q
      const blueprint = query.blueprint === '' ? undefined : query.blueprint
      const found = await findEntities(context, q, blueprint, query.cursor)
      const results = {
        q,
        blueprint,
        ...found,
        items: await withFreshness(context, found.items),
        blueprints: await listBlueprints(db),
        now: context.now(),
      }
      return send(
        { title: q ?? blueprint ?? 'Entities', ...defined({ q }), held: await heldNow() },
        resultsPage(results),
      )
    },
  )

  app.get(
    '/entities/:blueprint/:identifier',
    { config: page, schema: { ...hidden, params: z.object({ blueprint: text, identifier: text }) } },
    async ({ params: { blueprint, identifier } }, reply) => {
      const name = reference(blueprint, identifier)
      const entity = await getEntity(db, blueprint, identifier)
      const explanation = await explainNow(context, name)
      const held = await heldNow()
      if (entity !== undefined) {
        return send(
          { title: entity.title ?? entity.identifier, held },
          entityPage({ entity, blueprint: await getBlueprint(db, entity.blueprint), explanation, now: context.now() }),
        )
      }
      void reply.code(404)
      return send({ title: name, held }, absentPage(explanation, context.now()))
    },
  )

  app.get(
    '/explain',
    { config: page, schema: { ...hidden, querystring: z.object({ reference: text }) } },
    async ({ query }) => {
      const explanation = await explainNow(context, query.reference)
      return send({ title: query.reference, q: query.reference }, absentPage(explanation, context.now()))
    },
  )

  app.get(
    '/held',
    { config: page, schema: { ...hidden, querystring: z.object({ source: optionalText, kind: optionalText }) } },
    async ({ query }) => {
      const { items, next } = await listHeld(db, { ...defined(query), limit: shownHeld })
      return send(
        { title: 'Held', held: items.length },
        heldPage({ items, more: next !== undefined, now: context.now() }),
      )
    },
  )

  for (const [verb, decide] of [
    ['undo', (name: Named, who: string) => context.undo.undo(name, { who })],
    ['unpin', (name: Named, who: string) => context.undo.unpin(name, { who })],
  ] as const) {
    app.post(
      `/${verb}`,
      { config: page, schema: { ...hidden, body: z.strictObject({ reference: text }) } },
      async (request, reply) => {
        const name = parseReference(request.body.reference)
        if (name !== undefined) await decide(name, request.who)
        return reply.redirect(entityPath(request.body.reference), 303)
      },
    )
  }

  for (const [verb, decision] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    app.post(
      `/held/:id/${verb}`,
      { config: page, schema: { ...hidden, params: z.object({ id }) } },
      async (request, reply) => {
        await decideHeld(db, request.params.id, decision, request.who)
        engine.wake()
        return reply.redirect('/held', 303)
      },
    )
    app.post(
      `/held/${verb}`,
      { config: page, schema: { ...hidden, body: z.strictObject({ source: text, kind: text }) } },
      async (request, reply) => {
        await decideAllHeld(db, request.body, decision, request.who)
        engine.wake()
        return reply.redirect('/held', 303)
      },
    )
  }

  app.post(
    '/login',
    { config: { access: 'open' }, schema: { ...hidden, body: z.object({ key: z.string().max(1000) }) } },
    async (request, reply) => {
      if (!sameOrigin(request)) throw crossSite()
      if (context.access.login(request.body.key, reply)) return reply.redirect('/', 303)
      void reply.code(401)
      return send({ title: 'Log in' }, loginPage('That is not the admin key.'))
    },
  )
}

/** What the line finds, or what is wrong with it. */
async function findEntities(
  { db, now, objectives }: Context,
  q: string | undefined,
  blueprint: string | undefined,
  after: string | undefined,
): Promise<EntityList & { readonly mistake?: CatchmentError }> {
  try {
    const line = q === undefined ? undefined : await readLine(db, q, { now: now(), blueprint, objectives })
    return await listEntities(db, { ...defined({ line, blueprint, cursor: after }), limit: 50, total: true })
  } catch (error) {
    if (error instanceof CatchmentError && error.code === 'query_invalid') return { items: [], mistake: error }
    throw error
  }
}

async function readOverview({ db, plans, objectives, now }: Context): Promise<Overview> {
  const [sources, blueprints, changes] = await Promise.all([
    listSources(db, objectives, now()).then((list) => withVersions(db, plans, list)),
    listBlueprints(db),
    latestChanges(db, {}, 40),
  ])
  return { sources, blueprints, changes, now: now() }
}
