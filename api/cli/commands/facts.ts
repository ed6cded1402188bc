import type { SourceConfig } from '../../../core/config/index.ts'
import type { Check, Connection, Integration } from '../../../core/sdk/index.ts'
import { duration } from '../output.ts'
import { askedIn, kindsToScan } from '../start/asked.ts'
import { mappingOf } from '../start/files.ts'
import { hookUrl } from '../start/hooks.ts'
import { costOf, type Forecast, forecastOf } from './forecast.ts'
import { type Environment, openMeter } from './meter.ts'

/** What a configured source says before anything of it is scanned. */
export interface Facts {
  readonly source: string
  readonly integration: string
  readonly identity: string
  readonly partitions: readonly { readonly name: string; readonly unknown?: string }[]
  readonly missing: Check['missing']
  readonly kinds: readonly string[]
  readonly forecast?: Forecast
  /** How changes are told. Absent: this integration takes no webhooks. */
  readonly webhooks?: {
    readonly state: 'managed' | 'by hand' | 'none'
    readonly url: string
    /** What a person does, one step a line. */
    readonly steps: readonly string[]
  }
}

export type Asked = Pick<SourceConfig, 'name' | 'integration' | 'config' | 'kinds' | 'quota' | 'mapping' | 'webhooks'>

/** Asks who the credential is, which scopes it sees and what a first scan will cost; stores and starts nothing. */
export async function factsOf(
  source: Asked,
  integration: Integration,
  environment: Environment,
  { folder, server = 'http://127.0.0.1:7100' }: { readonly folder?: string; readonly server?: string } = {},
): Promise<Facts> {
  const meter = openMeter(source, environment, folder)
  const { file, text } = mappingOf(source)
  const asked = askedIn([{ file, mapping: text }], integration.aliases)
  const connection = integration.connect(source.config.reveal(), { ...meter.tools, asked })
  const signal = AbortSignal.timeout(120_000)
  const kinds = kindsToScan(
    source,
    integration,
    connection.kinds.map(({ name }) => name),
  )
  try {
    const check = await connection.check(signal)
    // Kinds that are listed repository by repository lie in the same scopes, and naming those costs requests.
    const cheap = kinds.some((kind) => integration.defaultKinds.includes(kind))
      ? kinds.filter((kind) => integration.defaultKinds.includes(kind))
      : kinds
    const small = meter.took.reduce((total, each) => total + each, 0) / Math.max(1, meter.took.length)
    const partitions = await partitionsOf(connection, cheap, signal)
    const forecast =
      check.forecast === undefined
        ? undefined
        : await forecastOf(costOf(check.forecast, kinds), {
            connection,
            partition: partitions.find(({ unknown }) => unknown === undefined)?.name,
            meter,
            small,
            reserve: source.quota.reserve,
          })
    return {
      source: source.name,
      integration: source.integration,
      identity: check.identity,
      partitions,
      missing: check.missing.filter(({ kind }) => kinds.includes(kind)),
      kinds,
      ...(forecast === undefined ? {} : { forecast }),
      ...webhooksOf(source, connection, server),
    }
  } finally {
    await connection.close?.()
    await meter.close()
  }
}

/** `server`: the address that this Catchment listens on. */
function webhooksOf(source: Asked, { webhook }: Connection, server: string): Pick<Facts, 'webhooks'> {
  if (webhook?.instructions === undefined) return {}
  const url = hookUrl(source, server)
  const { manage, secret } = source.webhooks
  const state = manage ? 'managed' : secret === undefined ? 'none' : 'by hand'
  return { webhooks: { state, url, steps: manage ? [] : webhook.instructions(url) } }
}

async function partitionsOf(
  connection: Connection,
  kinds: readonly string[],
  signal: AbortSignal,
): Promise<Facts['partitions']> {
  const found = new Map<string, { name: string; unknown?: string }>()
  const wanted = connection.kinds.filter(({ name }) => kinds.includes(name))
  // Kinds that lie in the same scopes ask for them in the same way: once is enough.
  const ways = new Map(wanted.map((kind) => [Reflect.get(kind, 'partitions') as unknown, kind]))
  for (const kind of ways.values()) {
    for (const partition of await kind.partitions(signal)) found.set(partition.name, partition)
  }
  return [...found.values()]
}

/** Is there anything that a person should look at before the first scan? */
export function isSound(facts: Facts): boolean {
  return facts.missing.length === 0 && facts.partitions.every(({ unknown }) => unknown === undefined)
}

/** For people: a label and what there is to say about it, one line each. */
export function describeFacts(facts: Facts): readonly string[] {
  const { forecast } = facts
  const readable = facts.partitions.filter(({ unknown }) => unknown === undefined).map(({ name }) => name)
  return [
    row('who', facts.identity),
    row('sees', readable.join(', ') || 'nothing of what is configured'),
    ...facts.partitions.flatMap(({ name, unknown }) =>
      unknown === undefined ? [] : [row('unknown', `${name}: ${unknown}`)],
    ),
    ...(facts.missing.length === 0
      ? [row('missing', `nothing that ${facts.kinds.join(', ')} need`)]
      : facts.missing.map(({ kind, permission }) => row('missing', `${kind}: ${permission}`))),
    ...(forecast === undefined ? [] : describeForecast(forecast)),
    ...(facts.webhooks === undefined ? [] : describeWebhooks(facts.webhooks)),
  ]
}

function describeForecast(forecast: Forecast): readonly string[] {
  const { requests, quota, byKind, seconds, limit } = forecast
  const listed = Object.values(byKind).reduce((total, calls) => total + calls, 0)
  const kinds = Object.entries(byKind).map(([kind, calls]) => `${kind} ${calls}`)
  if (kinds.length > 0 && quota > listed) kinds.push(`looking around ${quota - listed}`)
  return [
    row('first scan', `about ${requests} requests, ${duration(Math.max(1, seconds) * 1000)}`),
    row('', `of these ${quota} count against the rate limit${kinds.length === 0 ? '' : `: ${kinds.join(', ')}`}`),
    ...(limit === undefined
      ? []
      : [
          row(
            'rate limit',
            `${limit.remaining} of ${limit.limit} left this hour; ${limit.reserve} of them stay for the credential's other users`,
          ),
        ]),
    row('later scans', 'what has not changed is answered "not modified" and costs nothing of the limit'),
  ]
}

function describeWebhooks({ state, url, steps }: NonNullable<Facts['webhooks']>): readonly string[] {
  if (state === 'managed') return [row('webhooks', `kept by Catchment, to ${url}`)]
  const first =
    state === 'none'
      ? 'none: scans find every change. To see changes within a second set webhooks.secret, and'
      : 'taken at this address. If it is not told to the source yet:'
  return [row('webhooks', first), ...steps.map((step) => row('', step))]
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(13)}${text}`
}
