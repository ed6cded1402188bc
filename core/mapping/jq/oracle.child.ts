import { createInterface } from 'node:readline'
import { loadJq } from 'jq-wasm'

/**
 * Real jq in a process of its own: it does not come back from a stack overflow or an endless program, and then this
 * process is what is thrown away. One JSON line per question and answer.
 */
const jq = await loadJq()

for await (const line of createInterface({ input: process.stdin })) {
  // Written by `Oracle`, in this shape.
  const { program, input } = JSON.parse(line) as { program: string; input: string }
  const { stdout, stderr, exitCode } = jq.raw(input, program, ['-c'])
  // The reader takes these two for line ends.
  const answer = JSON.stringify({ stdout, stderr, exitCode }).replace(/[\u2028\u2029]/g, (end) =>
    end === '\u2028' ? '\\u2028' : '\\u2029',
  )
  process.stdout.write(`${answer}\n`)
}
