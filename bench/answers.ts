import { Worker } from 'node:worker_threads'

export interface Question {
  readonly id: number
  readonly first: number
  readonly last: number
  readonly changed: number
  /** Said in the answer, beside the items. */
  readonly asked?: number
}

export interface Answers {
  ask(question: Omit<Question, 'id'>): Promise<Uint8Array>
  close(): Promise<void>
}

/**
 * A source is somebody else's computer: what it costs to make its items and to write them as text is not ours. So that is
 * done in other threads, and what arrives here is bytes, as from a socket.
 */
export function openAnswers(): Answers {
  const waiting = new Map<number, PromiseWithResolvers<Uint8Array>>()
  const workers = [1, 2].map(() => {
    // A page is some megabytes; what memory is measured of this process is to be the engine's.
    const resourceLimits = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 64 }
    const worker = new Worker(new URL('./answers.worker.ts', import.meta.url), { resourceLimits })
    worker.on('message', ({ id, bytes }: { readonly id: number; readonly bytes: Uint8Array }) => {
      waiting.get(id)?.resolve(bytes)
      waiting.delete(id)
    })
    worker.on('error', (error) => {
      for (const { reject } of waiting.values()) reject(error)
    })
    worker.unref()
    return worker
  })
  let id = 0
  return {
    ask(question) {
      const answer = Promise.withResolvers<Uint8Array>()
      waiting.set(++id, answer)
      workers[id % workers.length]?.postMessage({ id, ...question })
      return answer.promise
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
