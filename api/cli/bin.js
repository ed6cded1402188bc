#!/usr/bin/env node
// Plain JavaScript on purpose: this is the one file that any Node must be able to read. It checks the version, hands
// over to the pinned Node where the machine's own is too old, and says in one line what to install where none is.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const supported = major > 22 || (major === 22 && minor >= 19)

if (supported) {
  await import('./main.ts')
} else {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
  const pinned = [join(root, 'node_modules'), join(root, '..')]
    .map((dir) => join(dir, `node-${process.platform}-${process.arch}`, 'bin', 'node'))
    .find((file) => existsSync(file))
  if (pinned === undefined) {
    console.error(
      `catchment needs Node 22.19 or newer; this is ${process.versions.node}. Install Node 24 LTS and run again.`,
    )
    process.exit(2)
  }
  const child = spawn(pinned, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
  })
}
