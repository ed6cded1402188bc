#!/usr/bin/env node
// Plain JavaScript on purpose: this is the one file that any Node must be able to read. It checks the version, hands
// over to the pinned Node where the machine's own is too old, and says in one line what to install where none is.
import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const supported = major > 22 || (major === 22 && minor >= 19)
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

if (supported) {
  cacheCompiled(join(root, 'node_modules'))
  await import('./main.ts')
} else {
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

/**
 * A second run of a command starts in half the time when it finds what the first one compiled. Kept within the install,
 * and only where that is ours: whoever else may write there could hand us other code.
 */
function cacheCompiled(modules) {
  try {
    if (statSync(modules).uid === process.getuid?.()) module.enableCompileCache?.(join(modules, '.cache', 'catchment'))
  } catch {
    // Started without: slower, and nothing else.
  }
}
