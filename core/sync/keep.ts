import { parseJson } from '../sdk/index.ts'
import { contentOf } from './hash.ts'
import { dropFields, keepingText, keepsMore } from './keep-less.ts'
import type { KindSession, Session } from './session.ts'

/** Bodies rewritten at a time. */
const AT_A_TIME = 500

/**
 * Makes what is stored fit what may be kept, before anything else is done: bodies lose what is dropped now and are mapped
 * again, or go altogether; what is kept again is read at the source. History keeps the values that entities had.
 */
export async function fitKeeping(session: Session): Promise<void> {
  const { store } = session.ports
  const { keeping, name } = session.runtime
  let less = false
  for (const kind of session.kinds.values()) {
    const [before, now] = [await store.keeping(kind.id), keepingText(keeping, kind.name)]
    if (before === now) continue
    session.ports.log('info', 'what is kept of a kind changes', {
      source: name,
      kind: kind.name,
      before: before ?? 'all',
      now: now ?? 'all',
    })
    less ||= now !== undefined
    if (keeping?.hashOnly(kind.name) === true) await store.forgetBodies(session.fence, kind.id)
    else await rewrite(session, kind)
    const more = keepsMore(before, now)
    await store.readAgain(session.fence, kind.id)
    if (more) {
      await store.forgetVersions(session.fence, kind.id)
      await store.requestScan(session.source.id, kind.name)
    }
    await store.keepingIs(session.fence, kind.id, now)
  }
  if (less) await store.reduceDeliveries(session.fence, session.source.id)
}

async function rewrite(session: Session, kind: KindSession): Promise<void> {
  const { store } = session.ports
  const paths = session.runtime.keeping?.drop[kind.name] ?? []
  if (paths.length === 0) return
  for (let after = 0n; ; ) {
    const bodies = await store.bodies(kind.id, after, AT_A_TIME)
    const last = bodies.at(-1)
    if (last === undefined) return
    after = last.id
    const changed = bodies.flatMap(({ id, version, body }) => {
      const whole = parseJson(body)
      const kept = dropFields(whole, paths)
      if (kept === whole) return []
      const { text, hash } = contentOf(kept, version)
      return [{ id, hash, body: text }]
    })
    if (changed.length > 0) await store.rewriteBodies(session.fence, changed)
  }
}

/** Records that another mapping version was over and whose bodies are not kept can only be mapped when they are seen again. */
export async function scanUnkept(session: Session): Promise<void> {
  const { store } = session.ports
  for (const { id, name } of await store.unmapped(session.source.id, session.mappingId)) {
    await store.readAgain(session.fence, id)
    await store.requestScan(session.source.id, name)
    session.ports.log('info', 'only hashes are kept, so the mapping needs a scan', {
      source: session.runtime.name,
      kind: name,
    })
  }
}
