import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, loadConfig } from '../../../core/config/index.ts'
import { CatchmentError, type Integration } from '../../../core/sdk/index.ts'
import { discover } from '../../../integrations/github/discover.ts'
import { githubConfig } from '../../../integrations/github/schema.ts'
import { print, printJson } from '../output.ts'
import { describeFacts, factsOf, isSound } from './facts.ts'
import { githubFile } from './init-file.ts'
import { type Environment, openMeter } from './meter.ts'

export interface InitOptions {
  readonly org?: readonly string[]
  readonly tokenEnv: string
  /** An App in place of a token, and the file of its key. Default: what the environment names, where there is no token. */
  readonly appId?: string
  readonly appKey?: string
  readonly baseUrl?: string
  readonly output: string
  readonly force: boolean
  readonly json: boolean
  readonly integrations: Readonly<Record<string, Integration>>
  readonly environment: Environment
}

const schemaFile = fileURLToPath(new URL('../../../docs/catchment.schema.json', import.meta.url))

/**
 * Writes a first catchment.yaml for GitHub, after asking what the token sees and what a scan of it costs. Starts nothing and
 * overwrites nothing. Exit status 3: the file is written, and something is missing that a person should look at.
 */
export async function initGithub(options: InitOptions): Promise<number> {
  const file = resolve(options.output)
  if (existsSync(file) && !options.force)
    throw new CatchmentError(`${options.output} is there already.`, {
      code: 'file_exists',
      hint: 'It was left as it is. Check it with: catchment check. Replace it with --force, or write another with --output.',
      exitCode: 2,
    })
  const app = appOf(options)
  const credential =
    app === undefined ? { tokenEnv: options.tokenEnv } : { app: app.id, keyFile: keyFrom(dirname(file), app.key) }
  const who = app === undefined ? 'The token' : 'The App'
  const draft = (organizations: readonly string[]): string =>
    githubFile({
      organizations,
      credential,
      schema: relative(dirname(file), schemaFile),
      ...(options.baseUrl === undefined ? {} : { baseUrl: options.baseUrl }),
    })
  // Read as `start` will read it: with the same environment and the same .env beside the file.
  const read = (text: string) => sourceOf(file, text, options)
  const organizations =
    options.org === undefined || options.org.length === 0 ? await visible(read(draft(['any'])), options) : options.org
  const text = draft(organizations)
  const source = read(text)
  const integration = options.integrations['github']
  if (integration === undefined) throw new Error('the registry has no github')
  const facts = await factsOf(source, integration, options.environment)
  if (facts.partitions.every(({ unknown }) => unknown !== undefined))
    throw new CatchmentError(`${who} sees none of ${organizations.join(', ')}.`, {
      code: 'organizations_unreadable',
      hint: `${facts.partitions.map(({ unknown }) => unknown).join('; ')}. Check the names, and that they may be read with it. Nothing was written.`,
      exitCode: 2,
    })
  // `wx`: what appeared meanwhile is not ours to replace either.
  writeFileSync(file, text, { flag: options.force ? 'w' : 'wx' })
  const exit = isSound(facts) ? 0 : 3
  if (options.json) {
    printJson({ file, ...facts })
    return exit
  }
  print(app === undefined ? `GitHub, with the token from ${options.tokenEnv}` : `GitHub, as the App ${app.id}`)
  for (const line of describeFacts(facts)) print(line)
  print('')
  print(`Wrote ${options.output}. Nothing was started, and nothing was written to GitHub.`)
  if (exit !== 0)
    print('Something is missing: grant it, look again with `npm run -s catchment -- check`, or go on without.')
  print('Next: npm start')
  return exit
}

/** The App to be, with its key. Undefined: a token. */
function appOf({ appId, appKey, tokenEnv, environment }: InitOptions): { id: string; key: string } | undefined {
  const byHand = appId !== undefined || appKey !== undefined
  if (!byHand && (environment[tokenEnv] ?? '') !== '') return undefined
  const id = appId ?? environment['GITHUB_APP_ID'] ?? ''
  const key = appKey ?? environment['GITHUB_APP_PRIVATE_KEY_PATH'] ?? ''
  if (id !== '' && key !== '') return { id, key }
  if (!byHand) return undefined
  throw new CatchmentError(
    `An App needs its id and the file of its private key; the ${id === '' ? 'id' : 'file'} is not given.`,
    {
      code: 'app_incomplete',
      hint: 'Give both: --app-id ID --app-key FILE, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY_PATH in the environment.',
      exitCode: 2,
    },
  )
}

/** As the configuration names it: relative to its own folder where it lies in there. */
function keyFrom(folder: string, key: string): string {
  const path = relative(folder, resolve(key))
  return path.startsWith('..') ? resolve(key) : `./${path}`
}

type Source = ReturnType<typeof loadConfig>['sources'][number]

function sourceOf(file: string, text: string, options: InitOptions): Source {
  try {
    const { sources } = loadConfig({
      file,
      env: options.environment,
      integrations: options.integrations,
      readFile: readInstead(file, text),
    })
    const [source] = sources
    if (source === undefined) throw new Error('the draft has no source')
    return source
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (!error.diagnostics.some(({ code }) => code === 'variable_missing')) throw error
    throw new CatchmentError(`There is no token: ${options.tokenEnv} is not set.`, {
      code: 'token_missing',
      hint: `export ${options.tokenEnv}=..., or write it into .env beside ${options.output}. A classic token wants repo and read:org; a fine-grained one Metadata and Members, read.`,
      exitCode: 2,
    })
  }
}

/** The draft in the place of the file, everything else from the disk. */
function readInstead(file: string, text: string): (path: string) => string {
  return (path) => (path === file ? text : readFileSync(path, 'utf8'))
}

/** Which organisations the token sees. */
async function visible(source: Source, options: InitOptions): Promise<readonly string[]> {
  const meter = openMeter(source, options.environment)
  try {
    const config = githubConfig.parse(source.config.reveal())
    const { organizations, refused } = await discover(config, meter.tools, AbortSignal.timeout(60_000))
    if (organizations.length > 0) return organizations
    throw new CatchmentError('GitHub does not say which organisations it sees.', {
      code: 'organizations_unknown',
      hint: `Name them: catchment init github --org NAME.${refused.length === 0 ? '' : ` (${refused.join('; ')})`}`,
      exitCode: 2,
    })
  } finally {
    await meter.close()
  }
}
