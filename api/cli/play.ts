import { Argument, type Command } from 'commander'
import { loadConfig } from '../../core/config/index.ts'
import { registry } from '../../integrations/registry.ts'
import { type BreakName, breakCommand, breaks, healCommand } from './commands/sandbox.ts'
import { openSandbox } from './commands/sandbox-access.ts'

/** `catchment sandbox | tour`: break the sandbox organisation and watch what Catchment makes of it. */
export function registerPlay(program: Command): void {
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
}
