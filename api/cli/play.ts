import { createInterface } from 'node:readline/promises'
import { Argument, type Command } from 'commander'
import { loadClientConfig } from '../../core/config/client.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { BreakName } from './commands/sandbox.ts'
import type { SandboxAccess } from './commands/sandbox-access.ts'
import { client } from './run.ts'

/** What can be broken; the compiler holds it against what there is. */
const breakNames: { readonly [name in BreakName]: true } = {
  'lose-permission': true,
  'drop-webhooks': true,
  'half-listing': true,
  'rename-storm': true,
  html: true,
  'rate-limit': true,
}

/** `catchment sandbox | tour`: break the sandbox organisation and watch what Catchment makes of it. */
export function registerPlay(program: Command): void {
  const sandbox = async (): Promise<SandboxAccess> => {
    const { openSandbox } = await import('./commands/sandbox-access.ts')
    return openSandbox(loadClientConfig().data)
  }
  const command = program.command('sandbox').description('break the sandbox organisation of this start, and heal it')
  command
    .command('break')
    .description('break one thing, and say what to watch')
    .addArgument(new Argument('<what>').choices(Object.keys(breakNames)))
    .action(async (what: BreakName) => {
      const { breakCommand } = await import('./commands/sandbox.ts')
      process.exitCode = await breakCommand(await sandbox(), what)
    })
  command
    .command('heal')
    .description('end everything that was broken')
    .action(async () => {
      const { healCommand } = await import('./commands/sandbox.ts')
      process.exitCode = await healCommand(await sandbox())
    })

  program
    .command('tour')
    .description('five minutes through the sandbox organisation of this start: look, change, break, heal')
    .option('--yes', 'do not wait between the chapters', false)
    .action(async (options: { yes: boolean }) => {
      // Where nobody can press a key, nobody waits for one.
      const goOn = options.yes || !process.stdin.isTTY ? () => Promise.resolve() : waitForEnter
      const { tour } = await import('./commands/tour.ts')
      process.exitCode = await tour({ client: client(), sandbox: await sandbox(), goOn })
    })
}

/** Ctrl-D goes on, too; Ctrl-C ends the tour, which heals what it broke. */
async function waitForEnter(): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  try {
    await new Promise<void>((resolve, reject) => {
      lines.once('SIGINT', () =>
        reject(
          new CatchmentError('The tour was ended early; what it broke is healed.', { code: 'tour_ended', exitCode: 1 }),
        ),
      )
      lines.once('close', resolve)
      lines.question('\n[Enter goes on, Ctrl-C ends] ').then(() => resolve(), reject)
    })
  } finally {
    lines.close()
  }
}
