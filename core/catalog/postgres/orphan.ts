import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { PostgresError } from './errors.ts'
import { commandLine, identify, workingDirectory } from './process.ts'
import { clusterName, readPidFile } from './server.ts'

/**
 * Deals with what a killed Catchment left running on `data`. Its server is ended in order and started anew rather than
 * adopted: its settings may be those of another version, and a backend may still work for a client that is gone. Call it
 * only under the lock. Answers the pid that was ended.
 */
export async function endOrphan(data: string): Promise<number | undefined> {
  const pidFile = join(data, 'postmaster.pid')
  const file = await readPidFile(pidFile)
  if (!file || !identify(file.pid)) return undefined
  const command = commandLine(file.pid)
  // A server works in its data directory, wherever that has been moved to since.
  const folder = workingDirectory(file.pid)
  const here = folder === undefined ? command.includes(` ${data} `) : folder === data
  if (!command.includes('postgres') || !here) {
    // The number was given to another program after a crash. PostgreSQL would refuse to start, taking that for its own
    // kind. Where the system does not say enough to be sure, PostgreSQL shall decide.
    if (command !== '' && (folder !== undefined || !command.includes('postgres'))) await rm(pidFile)
    return undefined
  }
  if (!command.includes(`cluster_name=${clusterName} `)) throw foreign(data, file.pid)
  await endServer(file.pid)
  return file.pid
}

/** A fast shutdown; if that hangs an immediate one, which loses nothing that was committed. */
export async function endServer(pid: number): Promise<void> {
  for (const [signal, seconds] of [
    ['SIGINT', 60],
    ['SIGQUIT', 10],
    ['SIGKILL', 10],
  ] as const) {
    if (!send(pid, signal)) return
    for (let waited = 0; waited < seconds * 100; waited++) {
      if (!identify(pid)) return
      await pause(10)
    }
  }
  throw new PostgresError(`PostgreSQL (process ${pid}) does not end`, {
    code: 'data_directory_locked',
    hint: `Find out what process ${pid} waits for (often the disk), then start again.`,
  })
}

/** False when the process is gone. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function foreign(data: string, pid: number): PostgresError {
  return new PostgresError(`a PostgreSQL that Catchment did not start (process ${pid}) uses ${data}`, {
    code: 'data_directory_locked',
    hint: `Stop it (kill -INT ${pid}), then start again.`,
    details: { pid },
  })
}
