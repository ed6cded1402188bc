import { expect, test } from 'vitest'
import { createLog, engineLog, redact } from './log.ts'

function logged(secrets: readonly string[] = []) {
  const lines: string[] = []
  const log = createLog({ level: 'debug', secrets, destination: { write: (line) => void lines.push(line) } })
  return { log, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? '') }
}

test('a line is one JSON object with a time, a level in words and the fields', () => {
  const { log, last } = logged()
  engineLog(log)('warn', 'Scan parked', { source: 'github', scan: 12n })
  expect(last()).toMatchObject({
    level: 'warn',
    msg: 'Scan parked',
    source: 'github',
    scan: '12',
    time: expect.any(String),
  })
})

test.each([
  [
    'a field named like one',
    { config: { headers: { Authorization: 'Bearer hunter22222' } }, apiKey: 'hunter22222', count: 1 },
  ],
  ['a value in a text', { url: 'https://x/?token=hunter22222', list: ['hunter22222'] }],
  ['a value in an error and its cause', { error: new Error('bad hunter22222', { cause: new Error('hunter22222') }) }],
  ['a buffer under such a name', { webhookSecret: Buffer.from('hunter22222') }],
])('a secret as %s is never written', (_name, fields) => {
  const { log, lines } = logged(['hunter22222'])
  log.info(fields, 'Message with hunter22222')
  expect(lines.join()).not.toContain('hunter22222')
  expect(() => JSON.parse(lines[0] ?? '')).not.toThrow()
})

test('secrets that JSON or an address writes differently', () => {
  const secret = 'a"b\\c/d e&f'
  const { log, lines } = logged([secret])
  log.info({ text: secret, url: `https://x/${encodeURIComponent(secret)}` }, 'x')
  expect(lines.join()).not.toContain('c/d')
  expect(lines.join()).not.toContain('c%2Fd')
})

test('numbers are not secrets, and short words are not either', () => {
  expect(redact({ token: 7, tokens: 3n, secret: null, password: 'x' })).toEqual({
    token: 7,
    tokens: '3',
    secret: null,
    password: '[redacted]',
  })
  const { log, last } = logged(['go'])
  log.info({ language: 'go' }, 'x')
  expect(last()).toMatchObject({ language: 'go' })
})

test('what cannot be written does not break the log', () => {
  const round: Record<string, unknown> = { name: 'round' }
  round['self'] = round
  const { log, lines } = logged()
  log.info({ round, map: new Map([['a', 1]]), at: new Date(0), nothing: undefined }, 'x')
  expect(lines).toHaveLength(1)
})
