import { parentPort } from 'node:worker_threads'
import type { Question } from './answers.ts'
import { repositories } from './repository.ts'

/** The other side of the wire: makes the items that are asked for, and their text. */
parentPort?.on('message', ({ id, first, last, changed, asked }: Question) => {
  const items = repositories(first, last, changed)
  const bytes = new TextEncoder().encode(JSON.stringify(asked === undefined ? { items } : { asked, items }))
  parentPort?.postMessage({ id, bytes }, [bytes.buffer])
})
