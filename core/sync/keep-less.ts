import { BadAnswer, type Connection, isObject, type Json, type RawDelivery, type Signal } from '../sdk/index.ts'

/** What of a source's objects is not kept, by kind. */
export interface Keeping {
  /** Fields by their path in the canonical form: `owner.email`; a list on the way means all that is in it. */
  readonly drop: Readonly<Record<string, readonly string[]>>
  /** Only the hash is kept of the kind's objects, and what mappings made of them. */
  hashOnly(kind: string): boolean
}

/** In a delivery as it is kept: its body is what the delivery says is to be asked about. */
const reduced = 'x-catchment-reduced'

/**
 * The source as the engine may see it: dropped fields are gone before anything is compared, mapped or stored. What is
 * delivered is kept as the names of what changed, and the source is asked for the rest: bodies of deliveries hold objects in
 * places that only the integration knows.
 */
export function keepLess(connection: Connection, { drop }: Keeping): Connection {
  const { webhook } = connection
  const kinds = connection.kinds.map((kind) => {
    const paths = drop[kind.name]
    if (paths === undefined || paths.length === 0) return kind
    return { ...kind, canonical: (item: Json) => dropFields(kind.canonical(item), paths) }
  })
  if (webhook === undefined) return { ...connection, kinds }
  const signals = (delivery: RawDelivery): readonly Signal[] => {
    if (delivery.headers[reduced] === undefined) return webhook.signals(delivery).map(withoutBody)
    // Written by `reduce`.
    const said = JSON.parse(delivery.body.toString()) as readonly Signal[] | null
    if (said === null) throw new BadAnswer('the delivery could not be read, and is not kept')
    return said
  }
  return { ...connection, kinds, webhook: { ...webhook, signals } }
}

/** A delivery as it may be kept. */
export function reduce(connection: Connection, delivery: RawDelivery): RawDelivery {
  let said: readonly Signal[] | null = null
  try {
    said = connection.webhook?.signals(delivery).map(withoutBody) ?? []
  } catch {
    // It is set aside like any other that cannot be read.
  }
  return { headers: { [reduced]: 'signals' }, body: Buffer.from(JSON.stringify(said)) }
}

function withoutBody(signal: Signal): Signal {
  if (signal.type !== 'stale') return signal
  const { body: _body, whole: _whole, ...rest } = signal
  return rest
}

/** Without the fields. A field whose own name has dots is meant by the same text. */
export function dropFields(value: Json, paths: readonly string[]): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => dropFields(each, paths))
  if (!isObject(value)) return value
  const names = Object.keys(value)
  const inner = paths.flatMap((path) =>
    names.flatMap((name) => (path.startsWith(`${name}.`) ? [{ name, rest: path.slice(name.length + 1) }] : [])),
  )
  if (inner.length === 0 && !paths.some((path) => Object.hasOwn(value, path))) return value
  const deeper = Map.groupBy(inner, ({ name }) => name)
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      if (paths.includes(name)) return []
      const rest = deeper.get(name)
      return [
        [
          name,
          rest === undefined
            ? each
            : dropFields(
                each,
                rest.map((path) => path.rest),
              ),
        ],
      ]
    }),
  )
}

/** As the catalog remembers it of a kind; undefined: all of it is kept. */
export function keepingText(keeping: Keeping | undefined, kind: string): string | undefined {
  if (keeping === undefined) return undefined
  const hash = keeping.hashOnly(kind)
  const drop = (keeping.drop[kind] ?? []).toSorted()
  return hash || drop.length > 0 ? JSON.stringify({ hash, drop }) : undefined
}

/** Whether a kind keeps something that it did not keep before. */
export function keepsMore(before: string | undefined, now: string | undefined): boolean {
  const [was, is] = [read(before), read(now)]
  return (was.hash && !is.hash) || was.drop.some((path) => !is.drop.includes(path))
}

function read(text: string | undefined): { readonly hash: boolean; readonly drop: readonly string[] } {
  // Written by `keepingText`.
  return text === undefined ? { hash: false, drop: [] } : (JSON.parse(text) as ReturnType<typeof read>)
}
