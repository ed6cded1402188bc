import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What jq says to a program: its outputs as JSON texts, and the error that ended them. */
export interface Answer {
  readonly outputs: readonly string[]
  readonly error: string | null
  /** The program does not compile. */
  readonly rejected: boolean
}

/** jq 1.8.2 as WebAssembly, in a child that is replaced when a program breaks it. */
export class Oracle {
  #child: ChildProcessWithoutNullStreams | null = null
  #answer: ((line: string | null) => void) | null = null

  /** Null: jq crashed, or took longer than the patience. */
  async ask(program: string, input: string, patience = 20_000): Promise<Answer | null> {
    const child = (this.#child ??= this.#spawn())
    const line = await new Promise<string | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), patience)
      this.#answer = (answer) => {
        clearTimeout(timer)
        resolve(answer)
      }
      child.stdin.write(`${JSON.stringify({ program, input })}\n`)
    })
    this.#answer = null
    if (line === null) {
      this.close()
      return null
    }
    // The child writes nothing else.
    const { stdout, stderr, exitCode } = JSON.parse(line) as { stdout: string; stderr: string; exitCode: number }
    const outputs = stdout.split('\n').filter((text) => text !== '')
    const [, message] = /^jq: error \(at [^)]*\)(?::)? ([^]*?)\n?$/.exec(stderr) ?? []
    return { outputs, error: message ?? (exitCode === 0 ? null : stderr), rejected: exitCode === 3 }
  }

  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = null
  }

  #spawn(): ChildProcessWithoutNullStreams {
    const file = new URL('./oracle.child.ts', import.meta.url).pathname
    const child = spawn(process.execPath, ['--stack-size=4000', file])
    createInterface({ input: child.stdout }).on('line', (line) => this.#answer?.(line))
    child.stderr.resume()
    child.stdin.on('error', () => undefined)
    child.on('exit', () => {
      // One that was thrown away has nothing to say to the next question.
      if (this.#child !== child) return
      this.#child = null
      this.#answer?.(null)
    })
    return child
  }
}
