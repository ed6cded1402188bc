import { explain } from './explain.ts'
import { runBench } from './harness.ts'
import { history } from './history.ts'
import { live } from './live.ts'
import { load } from './load.ts'
import { mapping } from './mapping.ts'
import { remap } from './remap.ts'
import { rescan } from './rescan.ts'

// The server that a bench started ends with it, also when somebody's patience ends.
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await runBench({ explain, live, load, remap, rescan, history, mapping }, process.argv.slice(2))
