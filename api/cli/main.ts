import { Command, CommanderError } from 'commander'
import { ConfigError, explainConfigError } from '../../core/config/error.ts'
import { registerCatalogCommands } from './catalog.ts'
import { addExamples } from './examples.ts'
import { registerFirstContact } from './first-contact.ts'
import { registerHistory } from './history.ts'
import { registerMappingCommands } from './mapping.ts'
import { report } from './output.ts'
import { registerPlanning } from './planning.ts'
import { registerPlay } from './play.ts'
import { registerReading } from './reading.ts'
import { registerServing } from './serving.ts'
import { version } from './version.ts'

const program = new Command('catchment')
  .description('One catalog of everything an organisation builds and runs, in step with the tools that own the truth.')
  .version(version(), '-V, --version', 'which version this is')
  .showHelpAfterError('(catchment --help lists the commands)')
  .configureHelp({ sortSubcommands: false })
  .exitOverride()

registerServing(program)
registerReading(program)
registerHistory(program)
registerCatalogCommands(program)
registerPlanning(program)
registerMappingCommands(program)
registerFirstContact(program)
registerPlay(program)
addExamples(program)

/** `-has:codeowners` is a term of a query, not an option. */
function searchArguments(words: readonly string[]): readonly string[] {
  return words[2] === 'search' ? words.map((word) => (/^-[^-\s]\S/.test(word) ? `NOT ${word.slice(1)}` : word)) : words
}

// Whoever closes our output (`| head -1`) has seen enough; that is no reason to end in the middle of something.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)

try {
  await program.parseAsync(searchArguments(process.argv))
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof ConfigError) {
    process.stderr.write(`${explainConfigError(error)}\n`)
    process.exitCode = error.exitCode
  } else process.exitCode = report(error)
}
