// node integrations/github/sandbox/main.ts --port 0 --data DIR
import { parseArgs } from 'node:util'
import { startSandbox } from './sandbox.ts'

const usage = `usage: main.ts --data DIR [--port 0] [--repos 60] [--seed 1] [--life SECONDS] [--control-token KEY] [--json] [--with-parent]`

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  console.error(`sandbox: --${name} wants a number, not ${JSON.stringify(text)}\n${usage}`)
  process.exit(2)
}

function options() {
  try {
    return parseArgs({
      options: {
        data: { type: 'string' },
        port: { type: 'string' },
        repos: { type: 'string' },
        seed: { type: 'string' },
        life: { type: 'string' },
        'control-token': { type: 'string' },
        json: { type: 'boolean' },
        'with-parent': { type: 'boolean' },
      },
    }).values
  } catch (error) {
    console.error(`sandbox: ${error instanceof Error ? error.message : String(error)}\n${usage}`)
    process.exit(2)
  }
}

const given = options()
if (given.data === undefined) {
  console.error(`sandbox: --data says where the state is kept\n${usage}`)
  process.exit(2)
}
const port = number('port', given.port)
const repos = number('repos', given.repos)
const seed = number('seed', given.seed)
const life = number('life', given.life)
const controlToken = given['control-token']

try {
  const sandbox = await startSandbox({
    data: given.data,
    ...(port === undefined ? {} : { port }),
    ...(repos === undefined ? {} : { repos }),
    ...(seed === undefined ? {} : { seed }),
    ...(life === undefined ? {} : { life }),
    ...(controlToken === undefined ? {} : { controlToken }),
  })
  const stop = (): void => {
    sandbox.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('sandbox: could not stop cleanly', error)
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  if (given['with-parent']) {
    // Whoever started this holds the other end: it closes when they are gone, however they went.
    process.stdin.once('close', stop)
    process.stdin.resume()
  }
  const line = {
    event: 'listening',
    url: sandbox.url,
    token: sandbox.token,
    controlToken: sandbox.control.token,
    pid: process.pid,
  }
  if (given.json || !process.stdout.isTTY) console.log(JSON.stringify(line))
  else {
    console.log(`GitHub sandbox at ${sandbox.url} (organisations acme and acme-labs)
  TOKEN=${sandbox.token}
  curl -H "Authorization: Bearer $TOKEN" ${sandbox.url}/orgs/acme/repos?per_page=2
  switchboard: curl -H "Authorization: Bearer ${sandbox.control.token}" ${sandbox.url}/_sandbox/state`)
  }
} catch (error) {
  console.error(`sandbox: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
