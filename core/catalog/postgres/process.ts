import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** `started` tells a process from a later one with the same number; empty where the system does not show it. */
export interface ProcessIdentity {
  readonly pid: number
  readonly started: string
}

/**
 * Names the space in which process numbers mean something: this boot of this machine, and this container on it. Numbers
 * of another world cannot be judged from here.
 */
export function world(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** Undefined when no such process lives here. A zombie does not live: nobody may be there to reap it. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if (!hasCode(error, 'EPERM')) return undefined
  }
  const [state, started] = process.platform === 'linux' ? fromProc(pid) : fromPs(pid)
  return state === 'Z' || state === 'X' ? undefined : { pid, started }
}

export function sameProcess(expected: ProcessIdentity): boolean {
  const found = identify(expected.pid)
  if (!found) return false
  return found.started === expected.started || found.started === '' || expected.started === ''
}

/** The command and its arguments, joined by blanks; empty when the system does not tell. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return `${execFileSync('/bin/ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim()} `
  } catch {
    return ''
  }
}

/** Undefined when the system does not tell. */
export function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function fromProc(pid: number): [state: string, started: string] {
  try {
    // The second field is the command in parentheses and may hold anything, so count from its end.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return [fields[0] ?? '', fields[19] ?? '']
  } catch {
    return ['', '']
  }
}

function fromPs(pid: number): [state: string, started: string] {
  try {
    const options = { encoding: 'utf8', env: { LC_ALL: 'C' } } as const
    const [state, ...started] = execFileSync('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options)
      .trim()
      .split(/\s+/)
    return [state?.slice(0, 1) ?? '', started.join(' ')]
  } catch {
    return ['', '']
  }
}
