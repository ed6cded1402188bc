import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigError, explainConfigError, type LoadOptions, loadConfig } from './index.ts'

const github = z.strictObject({
  token: z.string().min(1),
  organizations: z.array(z.string()).min(1),
  baseUrl: z.url().optional(),
})
const integrations = { github: { config: github }, pagerduty: { config: z.strictObject({ apiKey: z.string() }) } }

/** A file system in memory, with the given files below /org. */
function world(files: Readonly<Record<string, string>>, options: LoadOptions = {}): LoadOptions {
  const all = new Map(Object.entries(files).map(([name, text]) => [`/org/${name}`, text]))
  return {
    cwd: '/org',
    env: {},
    integrations,
    readFile: (path) => {
      const text = all.get(path)
      if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
      return text
    },
    listFolder: (path) => {
      const inside = [...all.keys()].filter((name) => name.startsWith(`${path.replace(/\/$/, '')}/`))
      return inside.length === 0 ? undefined : inside.map((name) => name.slice(path.replace(/\/$/, '').length + 1))
    },
    ...options,
  }
}

function failure(options: LoadOptions): ConfigError {
  try {
    loadConfig(options)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

const complete = `
sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "https://ghe.example.com/api/v3" }
    mapping: ./mappings/github.yaml
    blueprints: ./blueprints/
    kinds: [organization, repository, team, user]
    schedule: { scan: "*/30 * * * *", freshness: 1h }
    variables: { ENVIRONMENT: production, SHARD: 3 }
    guard: { share: 25%, minimum: 5 }
    quota: { reserve: 40% }
    webhooks: { manage: false, secret: "\${file:./webhook-secret}" }
precedence: [manual, github]
server: { host: 127.0.0.1, port: 7100 }
`
const files = {
  'catchment.yaml': complete,
  'webhook-secret': 'hook-s3cret\n',
  'mappings/github.yaml': 'resources: []\n',
  'blueprints/service.yaml': 'identifier: service\n',
  'blueprints/notes.txt': 'no blueprint',
}

describe('what is kept', () => {
  const read = (keys: string) => {
    const file = `sources: [{ name: a, integration: pagerduty, config: { apiKey: "\${env:K}" }, ${keys} }]`
    return loadConfig(world({ 'catchment.yaml': file }, { env: { K: 'x' } })).sources[0]
  }

  it('is all, unless less is said for all kinds or for some', () => {
    expect(read('kinds: [service]')).toMatchObject({ keep: { default: 'all' }, drop: {} })
    expect(read('keep: hash')).toMatchObject({ keep: { default: 'hash' } })
    expect(read('keep: { user: hash }, drop: { user: [email, emails.address] }')).toMatchObject({
      keep: { user: 'hash' },
      drop: { user: ['email', 'emails.address'] },
    })
  })

  it.each(['keep: some', 'keep: { user: some }', 'drop: [user.email]', 'drop: { user: email }'])(
    '%s is refused',
    (keys) => {
      expect(() => read(keys)).toThrow(/keep|drop/)
    },
  )
})

describe('objectives of freshness', () => {
  const at = (freshness: string) =>
    `sources: [{ name: a, integration: pagerduty, config: { apiKey: "\${env:K}" }, schedule: { freshness: ${freshness} } }]`
  const read = (freshness: string) => loadConfig(world({ 'catchment.yaml': at(freshness) }, { env: { K: 'x' } }))

  it('are one for all kinds, or one for each', () => {
    expect(read('15m').sources[0]?.schedule).toEqual({ scan: '*/30 * * * *', freshnessSeconds: 900 })
    expect(read('{ default: 2h, user: 1d }').sources[0]?.schedule).toMatchObject({
      freshnessSeconds: 7200,
      freshnessByKind: { user: 86_400 },
    })
    expect(read('{ user: 1d }').sources[0]?.schedule).toMatchObject({ freshnessSeconds: 3600 })
  })

  it.each(['1 hour', '{ user: soon }', '[1h]'])('%s is refused at its place', (freshness) => {
    expect(() => read(freshness)).toThrow(/schedule\.freshness.*/)
  })
})

describe('a complete file', () => {
  const config = loadConfig(world(files, { env: { GITHUB_TOKEN: 'ghp_s3cret' } }))
  const [source] = config.sources

  it('is read as written', () => {
    expect(config).toMatchObject({
      mode: 'file',
      file: '/org/catchment.yaml',
      data: '/org/.catchment',
      precedence: ['manual', 'github'],
      history: { keepSeconds: 34_560_000 },
      server: { host: '127.0.0.1', port: 7100 },
      warnings: [],
    })
    expect(source).toMatchObject({
      name: 'github',
      integration: 'github',
      mapping: { file: 'mappings/github.yaml', text: 'resources: []\n' },
      blueprints: [{ file: 'blueprints/service.yaml', text: 'identifier: service\n' }],
      kinds: ['organization', 'repository', 'team', 'user'],
      schedule: { scan: '*/30 * * * *', freshnessSeconds: 3600 },
      variables: { ENVIRONMENT: 'production', SHARD: '3' },
      guard: { share: 0.25, minimum: 5 },
      quota: { reserve: 0.4 },
      webhooks: { manage: false },
    })
    expect(source?.config.reveal()).toMatchObject({ token: 'ghp_s3cret', organizations: ['acme'] })
    expect(source?.webhooks.secret?.reveal()).toBe('hook-s3cret')
  })

  it.each([
    ['JSON.stringify', (value: unknown) => JSON.stringify(value)],
    ['inspect', (value: unknown) => inspect(value, { depth: 20, showHidden: true })],
    ['text', (value: unknown) => `${String(source?.config)}${String(source?.webhooks.secret)}${inspect(value)}`],
  ])('shows no secret through %s', (_, show) => {
    expect(show(config)).not.toContain('s3cret')
    expect(show(config)).toContain('${env:GITHUB_TOKEN}')
  })

  it('shows no secret that stands in the file itself, either', () => {
    const text = 'sources: [{ name: a, integration: pagerduty, config: { apiKey: s3cret } }]'
    const literal = loadConfig(world({ 'catchment.yaml': text }))
    expect(literal.warnings).toMatchObject([{ code: 'secret_in_file', line: 1, column: 64 }])
    expect(literal.sources[0]?.config.reveal()).toEqual({ apiKey: 's3cret' })
    expect(JSON.stringify(literal) + inspect(literal, { depth: 20 })).not.toContain('s3cret')
  })

  it('gives positions for what only shows later', () => {
    const error = config.problem(['sources', 0, 'kinds', 2], {
      code: 'kind_unknown',
      message: 'no such kind',
      hint: 'did you mean?',
    })
    expect(error.exitCode).toBe(2)
    expect(error.diagnostics).toMatchObject([{ file: 'catchment.yaml', line: 8, column: 39, code: 'kind_unknown' }])
    expect(explainConfigError(error)).toContain('                                      ^^^^')
  })
})

describe('defaults', () => {
  it('is the sandbox without a file', () => {
    expect(loadConfig(world({}))).toMatchObject({
      mode: 'sandbox',
      sources: [],
      precedence: ['manual'],
      server: { host: '127.0.0.1', port: 7100 },
      data: '/org/.catchment',
    })
  })

  it('takes CATCHMENT_* over the file, and the environment over .env', () => {
    const config = loadConfig(
      world(
        {
          'other.yaml': 'server: { host: 0.0.0.0, port: 8000 }',
          '.env': 'CATCHMENT_PORT=9000\nCATCHMENT_HOST=10.0.0.1\nDATABASE_URL=postgres://u:s3cret@db/c',
        },
        {
          env: {
            CATCHMENT_CONFIG: 'other.yaml',
            CATCHMENT_HOST: '::1',
            CATCHMENT_DATA: '/var/lib/catchment',
            CATCHMENT_ADMIN_KEY: 'k'.repeat(32),
            CATCHMENT_URL: 'https://catchment.example.com/',
          },
        },
      ),
    )
    expect(config).toMatchObject({
      mode: 'file',
      server: { host: '::1', port: 9000 },
      data: '/var/lib/catchment',
      url: 'https://catchment.example.com',
    })
    expect(config.databaseUrl?.reveal()).toBe('postgres://u:s3cret@db/c')
    expect(config.adminKey?.reveal()).toBe('k'.repeat(32))
    expect(inspect(config)).not.toMatch(/s3cret|kkkk/)
  })

  it('lists every source in the precedence once', () => {
    const text = `
sources:
  - { name: a, integration: pagerduty, config: { apiKey: "\${env:KEY}" } }
  - { name: b, integration: pagerduty, config: { apiKey: "\${env:KEY}" } }
precedence: [b]`
    expect(loadConfig(world({ 'catchment.yaml': text }, { env: { KEY: 'x' } })).precedence).toEqual([
      'b',
      'manual',
      'a',
    ])
  })

  it('takes a port from a variable, and $${ for itself', () => {
    const text = 'server: { port: "${env:PORT}", host: "$${x}" }'
    expect(loadConfig(world({ 'catchment.yaml': text }, { env: { PORT: '0' } })).server).toEqual({
      port: 0,
      host: '${x}',
    })
  })
})

describe('mistakes', () => {
  it('are all reported at once, each at its place with what to do', () => {
    const text = `sources:
  - name: Git Hub
    integration: githb
    config: { token: "\${env:GITHUB_TOKN}", organisations: [acme] }
    shedule: { scan: "* * *" }
  - name: pd
    integration: pagerduty
    config: { apiKey: 5, extra: 1 }
    mapping: ./nowhere.yaml
    guard: { share: 120% }
precedence: [pagerduty]
server: { port: 99999 }
`
    const error = failure(world({ 'catchment.yaml': text }, { env: { GITHUB_TOKEN: 'x' } }))
    expect(error.diagnostics.map(({ line, column, code, hint }) => [line, column, code, hint ?? ''])).toEqual([
      [2, 11, 'value_invalid', ''],
      [3, 18, 'integration_unknown', 'did you mean "github"?'],
      [4, 22, 'variable_missing', 'did you mean "GITHUB_TOKEN"?'],
      [5, 5, 'key_unknown', 'did you mean "schedule"?'],
      [8, 23, 'value_invalid', ''],
      [8, 26, 'key_unknown', 'known here: apiKey'],
      [9, 14, 'file_unreadable', 'the path is relative to this configuration file'],
      [10, 21, 'value_invalid', ''],
      [11, 14, 'source_unknown', 'sources: manual, Git Hub, pd'],
      [12, 17, 'value_invalid', ''],
    ])
    expect(error).toMatchObject({ code: 'config_invalid', exitCode: 2 })
    expect(error.message).toMatch(/^the configuration has 10 mistakes: catchment.yaml:2:11: /)
  })

  it('in config blocks are found at the block, or at the key it lacks', () => {
    const text = `sources:
  - name: gh
    integration: github
    config:
      token: "\${file:./missing}"
  - name: gh
    integration: github
    blueprints: ./empty
precedence: [gh, gh]
`
    const error = failure(world({ 'catchment.yaml': text }))
    expect(error.diagnostics.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`)).toEqual([
      '4:5 key_missing "sources.0.config.organizations" is missing',
      '5:14 file_unreadable the file ./missing cannot be read: it does not exist',
      '6:5 key_missing "sources.1.config.token" is missing',
      '6:5 key_missing "sources.1.config.organizations" is missing',
      '6:11 source_name there are two sources "gh"',
      '8:17 file_unreadable the file ./empty cannot be read: it does not exist',
      '9:18 precedence_twice "gh" is here twice',
    ])
  })

  it.each([
    ['a: b: c', 'yaml_syntax', 1],
    ['server:\n\tport: 1', 'yaml_syntax', 2],
    ['- a', 'value_invalid', 1],
    ['server: {}\nserver: {}', 'key_duplicate', 2],
    ['server: { host: "${HOST}" }', 'interpolation_invalid', 1],
    ['server: { host: "${env:HOST" }', 'interpolation_invalid', 1],
    ['server: { host: "${env:}" }', 'interpolation_invalid', 1],
    [
      'sources: [{ name: a, integration: github, config: { token: a, organizations: [b] }, schedule: { scan: "61 * * * *" } }]',
      'value_invalid',
      1,
    ],
    [
      'sources: [{ name: a, integration: github, config: { token: a, organizations: [b] }, schedule: { freshness: 1 } }]',
      'value_invalid',
      1,
    ],
  ])('%s', (text, code, line) => {
    expect(
      failure(world({ 'catchment.yaml': text })).diagnostics.find(({ severity }) => severity === 'error'),
    ).toMatchObject({ code, line, file: 'catchment.yaml' })
  })

  it('takes an empty variable for a missing one', () => {
    const error = failure(world({ 'catchment.yaml': 'server: { host: "${env:HOST}" }' }, { env: { HOST: '' } }))
    expect(error.diagnostics).toMatchObject([
      { code: 'variable_missing', message: 'the environment variable HOST is set but empty' },
    ])
  })

  it('names a file that is not there', () => {
    const error = failure(world({}, { file: 'prod.yaml' }))
    expect(error.diagnostics).toMatchObject([{ code: 'config_unreadable', file: 'prod.yaml', line: 1 }])
    expect(explainConfigError(error)).toContain('prod.yaml cannot be read: it does not exist')
  })

  it('are found in the environment, without showing what may hold a password', () => {
    const env = {
      CATCHMENT_PORT: 'http',
      CATCHMENT_URL: 'catchment',
      DATABASE_URL: 'mysql://u:s3cret@db',
      CATCHMENT_ADMIN_KEY: 's3cret',
    }
    const text = explainConfigError(failure(world({}, { env })))
    expect(text).toContain('environment:1:16: error: CATCHMENT_PORT must be a number')
    expect(text.match(/\[variable_invalid\]/g)).toHaveLength(4)
    expect(text).not.toContain('s3cret')
  })

  it('prints like a compiler, and stars literal secrets out of the line', () => {
    const text = 'sources:\n  - { name: a, integration: github, config: { token: ghp_s3cret, organizations: [] } }\n'
    const error = failure(world({ 'catchment.yaml': text }))
    expect(
      explainConfigError(error),
    ).toBe(`catchment.yaml:2:54: warning: "token" stands in the file itself [secret_in_file]
  2 |   - { name: a, integration: github, config: { token: **********, organizations: [] } }
    |                                                      ^^^^^^^^^^
    = hint: take it from the environment with \${env:NAME}, or from a file with \${file:./path}

catchment.yaml:2:66: error: sources.0.config.organizations: Too small: expected array to have >=1 items [value_invalid]
  2 |   - { name: a, integration: github, config: { token: **********, organizations: [] } }
    |                                                                  ^^^^^^^^^^^^^

1 error, 1 warning`)
  })
})
