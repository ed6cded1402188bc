import Fastify from 'fastify'
import { expect, test, vi } from 'vitest'
import { firstRun } from './first-run.ts'
import { listen } from './listen.ts'

const facts = { url: 'http://127.0.0.1:7100', token: 't', seconds: 1 }

test('the commands name what is there', () => {
  expect(firstRun({ ...facts, example: 'service:initech/tps-reports' }).slice(-3)).toEqual([
    '  npm run -s catchment -- status',
    '  npm run -s catchment -- search tps-reports',
    '  npm run -s catchment -- explain service:initech/tps-reports',
  ])
  expect(firstRun({ ...facts, example: "page:What's new" }).slice(-2)).toEqual([
    `  npm run -s catchment -- search 'What'\\''s new'`,
    `  npm run -s catchment -- explain 'page:What'\\''s new'`,
  ])
})

test('while nothing is there they ask for nothing by name, and it is 12 lines at most', () => {
  expect(
    firstRun({ ...facts, example: undefined })
      .slice(-3)
      .join(),
  ).not.toContain(':')
  expect(firstRun({ ...facts, example: 'a:b', sandbox: { life: 20 } }).length).toBeLessThanOrEqual(12)
})

test.each([
  ['EADDRINUSE', 'port_in_use', 1],
  ['EACCES', 'port_forbidden', 2],
  ['EADDRNOTAVAIL', 'host_unavailable', 2],
])('a server that may not listen (%s) says %s', async (code, ours, exitCode) => {
  const server = Fastify()
  vi.spyOn(server, 'listen').mockRejectedValue(Object.assign(new Error(code), { code }))
  await expect(listen(server, { host: '127.0.0.1', port: 80 })).rejects.toMatchObject({ code: ours, exitCode })
})
