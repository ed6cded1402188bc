import type { Db } from '../catalog/db.ts'
import type { Store, StoredRecord } from '../catalog/store.ts'
import type { Mappings } from '../model/mapping.ts'
import type { Connection, Kind, Page, Signal } from '../sdk/index.ts'

/** A defect planted into the shipped engine through its ports. The auditor must find each within a few seeds. */
export interface Plant {
  /** What the engine then does. */
  readonly what: string
  statement?(text: string): string
  connection?(inner: Connection): Connection
  /** `plain`: a connection that waits for no grant. */
  store?(inner: Store, plain: Db): Store
  mappings?(inner: Mappings): Mappings
  readonly noGuard?: true
}

const greatest = 2n ** 62n

export const plants: Readonly<Record<string, Plant>> = {
  'sweep-after-incomplete': {
    what: 'A listing that breaks off counts as complete, and what it did not show is swept.',
    connection: (inner) => withKinds(inner, (kind) => ({ ...kind, list: (request) => swallow(kind.list(request)) })),
  },
  'ack-before-commit': {
    what: 'A delivery is acknowledged before it is committed to the inbox.',
    store: (inner) => ({
      ...inner,
      accept(...delivery) {
        void inner.accept(...delivery).catch(() => undefined)
        return Promise.resolve('accepted')
      },
    }),
  },
  'no-watermark': {
    what: 'Nobody remembers when something was last seen, so that an old answer replaces a newer one.',
    store: (inner) => ({
      ...inner,
      async compare(...asked) {
        const answer = await inner.compare(...asked)
        return { ...answer, stored: new Map([...answer.stored].map(([at, each]) => [at, forget(each)])) }
      },
      async record(...asked) {
        const found = await inner.record(...asked)
        return found && forget(found)
      },
      async missing(...asked) {
        return (await inner.missing(...asked)).map((row) => ({ ...row, confirmed: 0n }))
      },
      commit: (batch) =>
        inner.commit({
          ...batch,
          writes: (batch.writes ?? []).map((write) =>
            write.expected === undefined ? write : { ...write, expected: { ...write.expected, end: greatest } },
          ),
          removals: (batch.removals ?? []).map((removal) => ({ ...removal, confirmed: greatest })),
        }),
    }),
  },
  'no-entity-lock': {
    what: 'Entities are not locked before their contributions are read.',
    statement: (text) => (text.startsWith('/* lock:entities */') ? text.replace(/FOR UPDATE OF e\s*$/u, '') : text),
  },
  '404-as-gone': {
    what: 'Any answer that is no object means that it is gone, whatever the credential may see.',
    connection: (inner) => ({
      ...withKinds(inner, ({ get, ...kind }) =>
        get === undefined
          ? kind
          : {
              ...kind,
              async get(...asked) {
                const got = await get(...asked)
                return got.state === 'unknown' ? { state: 'gone' } : got
              },
            },
      ),
      async check(signal) {
        return { ...(await inner.check(signal)), fingerprint: 'always the same' }
      },
    }),
  },
  'late-gone-believed': {
    what: 'A delivery that says "gone" is believed, however late it comes.',
    connection: (inner) => {
      const { webhook } = inner
      if (webhook === undefined) return inner
      return { ...inner, webhook: { ...webhook, signals: (raw) => webhook.signals(raw).map(believed) } }
    },
  },
  'no-fence': {
    what: 'A worker that has lost its lease goes on writing.',
    store: (inner, plain) => ({
      ...inner,
      async commit(batch) {
        const { rows } = await plain.query<{ token: string }>('SELECT token FROM leases WHERE name = $1', [
          batch.fence.lease,
        ])
        return inner.commit({ ...batch, fence: { ...batch.fence, token: BigInt(rows[0]?.token ?? 0) } })
      },
    }),
  },
  'no-guard': {
    what: 'Nothing is held, however much is to be taken away.',
    noGuard: true,
  },
  'null-on-failure': {
    what: 'An expression that fails is null.',
    mappings: (inner) => ({
      ...inner,
      apply: (kind, body, context) =>
        inner.apply(kind, body, context).map((output) =>
          output.state === 'selected'
            ? {
                ...output,
                drafts: output.drafts.map((each) => ({
                  ...each,
                  draft: {
                    ...each.draft,
                    properties: { ...each.draft.properties, tier: each.draft.properties['tier'] ?? null },
                    failed: [],
                  },
                })),
              }
            : output,
        ),
    }),
  },
}

function withKinds(inner: Connection, change: (kind: Kind) => Kind): Connection {
  return { ...inner, kinds: inner.kinds.map(change) }
}

/** One page is kept back, so that the last good one can pass for the last. */
async function* swallow(pages: AsyncIterable<Page>): AsyncIterable<Page> {
  let kept: Page | undefined
  try {
    for await (const page of pages) {
      if (kept !== undefined) yield kept
      const { incomplete: _, ...whole } = page
      kept = whole
    }
  } catch {
    // That is the defect.
  }
  if (kept === undefined) return
  const { next: _, ...last } = kept
  yield last
}

function forget(record: StoredRecord): StoredRecord {
  const span = { begin: 0n, end: 0n }
  return { ...record, span, presences: record.presences.map((each) => ({ ...each, span })) }
}

function believed(signal: Signal): Signal {
  return signal.type === 'gone' ? { ...signal, version: '99999999' } : signal
}
