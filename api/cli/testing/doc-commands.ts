import { readFileSync } from 'node:fs'

/** Arguments of the commands in the fenced blocks of this kind of a document: `npm run -s catchment -- ARGS`. */
export function docCommands(document: string, kind: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`../../../docs/${document}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`sh ${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
  const lines = blocks.flatMap(([, body = '']) => [...body.matchAll(/^npm run -s catchment -- (.+)$/gm)])
  return lines.map(([, args = '']) => args.trim().split(/\s+/))
}
