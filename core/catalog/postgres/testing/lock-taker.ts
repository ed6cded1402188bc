import { once } from 'node:events'
import { acquireLock } from '../lock.ts'

/** Tries to take the lock at argv[2] once, says `held` or `refused`, and gives it up when its input ends. */
const ended = once(process.stdin.resume(), 'end')
const lock = await acquireLock(process.argv[2] ?? '').catch(() => undefined)
process.stdout.write(lock ? 'held\n' : 'refused\n')
await ended
await lock?.release()
