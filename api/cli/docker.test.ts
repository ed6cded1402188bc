import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../core/config/index.ts'
import { copyOf, environmentOf, exec, parseDockerfile, tracked } from './testing/dockerfile.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const instructions = parseDockerfile(read('Dockerfile'))
const texts = (name: string): string[] => instructions.filter((it) => it.name === name).map(({ text }) => text)

it('copies only what git knows and .dockerignore lets through', () => {
  const passes = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  const sources = instructions
    .filter(({ name }) => name === 'COPY')
    .map(copyOf)
    .filter(({ from }) => from === undefined)
    .flatMap((copy) => copy.sources)
  expect(sources).toContain('api')
  for (const source of sources) {
    expect(tracked(root, source), source).not.toEqual([])
    expect(passes).toContain(source)
  }
  expect(new Set(passes)).toEqual(new Set(sources))
})

it('runs as an ordinary user, in exec form, on an address that a container can publish', () => {
  expect(texts('USER').at(-1)).toBe('node')
  expect(exec(texts('CMD').at(-1) ?? '')).toEqual(['node', 'api/cli/bin.js', 'start'])
  expect(texts('HEALTHCHECK').at(-1)).toContain('/healthz')
  const config = loadConfig({ env: environmentOf(instructions), cwd: '/app', readFile: missing })
  expect(config).toMatchObject({ server: { host: '0.0.0.0', port: 7100 }, data: '/data' })
  expect(texts('VOLUME')).toEqual(['/data'])
  expect(texts('EXPOSE')).toEqual(['7100'])
  // The stage that runs begins where the one that installs ends: no build tool, no cache, is in the image.
  expect(texts('FROM')).toEqual(['node:24-slim AS install', 'node:24-slim'])
})

it('composes Catchment with a PostgreSQL of its own, published nowhere, and nothing else', () => {
  const compose: unknown = parse(read('docker-compose.yml'))
  expect(compose).toMatchObject({
    services: {
      catchment: {
        build: '.',
        ports: ['127.0.0.1:7100:7100'],
        volumes: ['catchment:/data'],
        depends_on: { postgres: { condition: 'service_healthy' } },
      },
      postgres: { image: 'postgres:18', healthcheck: { test: ['CMD-SHELL', expect.stringContaining('pg_isready')] } },
    },
    volumes: { catchment: null, postgres: null },
  })
  // The shape was looked at above.
  const { services } = compose as { services: Record<string, { ports?: unknown; environment: Record<string, string> }> }
  expect(Object.keys(services)).toEqual(['catchment', 'postgres'])
  expect(services['postgres']?.ports).toBeUndefined()
  const filled = (text: string): string => text.replaceAll(/\$\{(\w+):-([^}]*)\}/g, '$2')
  const [ours, theirs] = ['catchment', 'postgres'].map((name) =>
    Object.fromEntries(Object.entries(services[name]?.environment ?? {}).map(([key, value]) => [key, filled(value)])),
  )
  const url = new URL(loadConfig({ env: ours ?? {}, cwd: '/app', readFile: missing }).databaseUrl?.reveal() ?? '')
  expect([url.username, url.password, url.pathname.slice(1), url.hostname]).toEqual([
    theirs?.['POSTGRES_USER'],
    theirs?.['POSTGRES_PASSWORD'],
    theirs?.['POSTGRES_DB'],
    'postgres',
  ])
})

function missing(path: string): never {
  throw Object.assign(new Error(path), { code: 'ENOENT' })
}
