import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { bin, environment } from '../../api/cli/testing/catchment.ts'

export interface Command {
  readonly line: string
  /** `# exit N` behind it. */
  readonly exit: number
}

/** A page beside this folder. */
export function pageText(page: string): string {
  return readFileSync(new URL(`../${page}`, import.meta.url), 'utf8')
}

/** Commands of the fenced blocks ```sh KIND of a page beside this folder; a backslash at the end continues a line. */
export function commandsOf(page: string, kind: string): readonly Command[] {
  const text = pageText(page)
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`sh ${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
  return blocks
    .flatMap(([, body = '']) => body.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ line, exit: Number(/# exit (\d+)\s*$/.exec(line)?.[1] ?? 0) }))
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** As a person types it into a shell, with `npm run -s catchment --` being this checkout's. */
export function runLine(line: string, folder: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const npm = `npm() { shift 4; "${process.execPath}" "${bin}" "$@"; }`
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-c', `${npm}\n${line}`],
      { cwd: folder, env: environment(folder, env), timeout: 100_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      },
    )
  })
}
