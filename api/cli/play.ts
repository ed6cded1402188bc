import { createInterface } from 'node:readline/promises'
import { Argument, type Command } from 'commander'
import { loadConfig } from '../../core/config/index.ts'
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
      const goOn = options.yes ? () => Promise.resolve() : waitForEnter
      process.exitCode = await tour({ client: client(), sandbox: await sandbox(), goOn })
    })
}

async function waitForEnter(): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-D goes on, too: there is nobody to wait for any more.
  const closed = new Promise<void>((resolve) => lines.once('close', resolve))
  await Promise.race([lines.question('\n[Enter goes on] ').then(() => undefined), closed])
  lines.close()
}
