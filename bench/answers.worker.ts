import { parentPort } from 'node:worker_threads'
import type { Question } from './answers.ts'
import { repositoriesText } from './repository.ts'

/** The other side of the wire: makes the items that are asked for, and their text. */
parentPort?.on('message', ({ id, first, last, changed, asked }: Question) => {
  const said = asked === undefined ? '' : `"asked":${asked},`
  const bytes = new TextEncoder().encode(`{${said}"items":${repositoriesText(first, last, changed)}}`)
  parentPort?.postMessage({ id, bytes }, [bytes.buffer])
})
