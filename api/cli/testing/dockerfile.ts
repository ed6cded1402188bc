// As much of a Dockerfile as ours uses, so that a test can follow it where no Docker runs.
import { execFileSync } from 'node:child_process'

export interface Instruction {
  readonly name: string
  readonly text: string
}

/** Continued lines joined, comments left out. Stages begin with FROM. */
export function parseDockerfile(text: string): readonly Instruction[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...rest] = line.trim().split(/\s+/)
      return { name: name.toUpperCase(), text: rest.join(' ') }
    })
}

export interface Copy {
  readonly from: string | undefined
  readonly sources: readonly string[]
  readonly to: string
}

export function copyOf({ text }: Instruction): Copy {
  const words = text.split(' ')
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  return { from, sources: words.slice(0, -1), to: words.at(-1) ?? '' }
}

/** CMD ["a", "b"]: the words. Throws on the shell form, which would swallow signals. */
export function exec(text: string): readonly string[] {
  const words: unknown = JSON.parse(text.slice(text.indexOf('[')))
  if (!Array.isArray(words)) throw new Error(`not in exec form: ${text}`)
  return words.map(String)
}

/** NAME=value pairs of the ENV lines. */
export function environmentOf(instructions: readonly Instruction[]): Record<string, string> {
  const pairs = instructions.filter(({ name }) => name === 'ENV').flatMap(({ text }) => text.split(' '))
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

/** Files below `path` that git knows. */
export function tracked(root: string, path: string): readonly string[] {
  const out = execFileSync('git', ['ls-files', '-z', '--', path], { cwd: root, encoding: 'utf8' })
  return out.split('\0').filter((name) => name !== '')
}
