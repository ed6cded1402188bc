import { dirname } from 'node:path'
import type { Config } from '../../../core/config/index.ts'
import { CatchmentError, type Integration } from '../../../core/sdk/index.ts'
import { print, printJson } from '../output.ts'
import { checkKinds } from '../start/kinds.ts'
import { describeFacts, type Facts, factsOf, isSound } from './facts.ts'
import type { Environment } from './meter.ts'

export interface CheckOptions {
  readonly config: Config
  readonly integrations: Readonly<Record<string, Integration>>
  readonly environment: Environment
  readonly json: boolean
}

interface Refused {
  readonly source: string
  readonly error: { readonly message: string; readonly code: string; readonly hint?: string }
  readonly exitCode: number
}

/**
 * Asks every configured source who its credential is, what it sees and what a first scan costs. Exit status 0: all well; 1: a
 * source cannot be reached; 2: a credential was refused; 3: something is missing or cannot be read. The worst counts.
 */
export async function check(options: CheckOptions): Promise<number> {
  const { config, integrations, environment, json } = options
  checkKinds(config, integrations)
  const folder = config.file === undefined ? undefined : dirname(config.file)
  const { host, port } = config.server
  const server = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const answers: (Facts | Refused)[] = []
  for (const source of config.sources) {
    const integration = integrations[source.integration]
    // The configuration was read with these integrations: it names no other.
    if (integration === undefined) continue
    const answer = await factsOf(source, integration, environment, {
      server,
      ...(folder === undefined ? {} : { folder }),
    }).catch((error: unknown) => refused(source.name, error))
    answers.push(answer)
    if (!json) for (const line of describe(answer)) print(line)
  }
  if (json) printJson({ sources: answers.map(withoutExit) })
  else if (config.mode === 'sandbox')
    print('No catchment.yaml here: npm start runs the sandbox organisation. Make one with: catchment init github')
  else if (answers.length === 0) print('The configuration names no source.')
  return worst(answers.map(exitOf))
}

function refused(source: string, error: unknown): Refused {
  if (!(error instanceof CatchmentError)) throw error
  const { message, code, hint, exitCode } = error
  return { source, exitCode, error: { message, code, ...(hint === undefined ? {} : { hint }) } }
}

function describe(answer: Facts | Refused): readonly string[] {
  if (!('error' in answer)) return [`${answer.source} (${answer.integration})`, ...describeFacts(answer)]
  const { message, code, hint } = answer.error
  return [`${answer.source}`, `  error: ${message} [${code}]`, ...(hint === undefined ? [] : [`  ${hint}`])]
}

function withoutExit(answer: Facts | Refused): unknown {
  return 'error' in answer ? { source: answer.source, error: answer.error } : answer
}

function exitOf(answer: Facts | Refused): number {
  if ('error' in answer) return answer.exitCode
  return isSound(answer) ? 0 : 3
}

/** What a person must change comes before what may pass by itself, and that before what is only incomplete. */
function worst(codes: readonly number[]): number {
  return [2, 1, 3].find((code) => codes.includes(code)) ?? 0
}
