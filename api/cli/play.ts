import { createInterface } from 'node:readline/promises'
import { Argument, type Command } from 'commander'
import { loadConfig } from '../../core/config/index.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import { registry } from '../../integrations/registry.ts'
import type { Client } from './client.ts'
import { type BreakName, breakCommand, breaks, healCommand } from './commands/sandbox.ts'
import { openSandbox } from './commands/sandbox-access.ts'
import { tour } from './commands/tour.ts'

/** `catchment sandbox | tour`: break the sandbox organisation and watch what Catchment makes of it. */
export function registerPlay(program: Command, client: () => Client): void {
  const sandbox = () => openSandbox(loadConfig({ integrations: registry }).data)
  const command = program.command('sandbox').description('break the sandbox organisation of this start, and heal it')
  command
    .command('break')
    .description('break one thing, and say what to watch')
    .addArgument(new Argument('<what>').choices(Object.keys(breaks)))
    .action(async (what: BreakName) => {
      process.exitCode = await breakCommand(await sandbox(), what)
    })
  command
    .command('heal')
    .description('end everything that was broken')
    .action(async () => {
      process.exitCode = await healCommand(await sandbox())
    })

  program
    .command('tour')
    .description('five minutes through the sandbox organisation of this start: look, change, break, heal')
    .option('--yes', 'do not wait between the chapters', false)
    .action(async (options: { yes: boolean }) => {
      // Where nobody can press a key, nobody waits for one.
      const goOn = options.yes || !process.stdin.isTTY ? () => Promise.resolve() : waitForEnter
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
