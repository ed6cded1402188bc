// npm run -s tour:record: runs the tour on a sandbox of its own and writes what it said to docs/tour.md.
import { writeFileSync } from 'node:fs'
import { cli, startCatchment, temporaryFolder } from './catchment.ts'

const intro = `# The tour

\`catchment tour\` takes five minutes over the sandbox organisation that \`npm start\` runs: it looks, changes, breaks and
heals, and every command it shows can be typed by hand. This is what it said, recorded by \`npm run -s tour:record\`; times
are masked.

\`\`\`
npm start                              # in one terminal
npm run -s catchment -- tour           # in another; --yes does not wait between the chapters
\`\`\`

What it breaks, one thing at a time and as long as you like: \`catchment sandbox break lose-permission | drop-webhooks |
half-listing | rename-storm | html | rate-limit\`, and \`catchment sandbox heal\`.
`

/** Without what differs between two runs: times, durations, ports, and how many changes there were before. */
export function mask(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '(time)')
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, 'HH:MM:SS')
    .replaceAll(/\b\d+ (s|min)\b/g, 'N $1')
    .replaceAll(/\brevision \d+/g, 'revision N')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
}

/** Every five minutes the sandbox is scanned by its schedule; a tour that goes on meanwhile shows that, too. */
const tick = (): number => Math.floor(Date.now() / 300_000)

export async function recordTour(): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const before = tick()
    const said = await recordOnce()
    if (tick() === before || tries === 3) return said
  }
}

async function recordOnce(): Promise<string> {
  const folder = await temporaryFolder()
  try {
    const catchment = await startCatchment({ folder: folder.path })
    try {
      const { code, stdout, stderr } = await cli(['tour', '--yes'], { folder: folder.path })
      if (code !== 0) throw new Error(`the tour ended with ${code}:\n${stderr}${stdout}`)
      return `${intro}\n\`\`\`\n${mask(stdout).trim()}\n\`\`\`\n`
    } finally {
      await catchment.stop()
    }
  } finally {
    await folder.remove()
  }
}

if (import.meta.main) writeFileSync(new URL('../../../docs/tour.md', import.meta.url), await recordTour())
