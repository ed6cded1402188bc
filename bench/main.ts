import { runBench } from './harness.ts'
import { load } from './load.ts'
import { mapping } from './mapping.ts'
import { rescan } from './rescan.ts'

process.exitCode = await runBench({ load, rescan, mapping }, process.argv.slice(2))
