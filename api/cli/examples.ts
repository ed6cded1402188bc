import type { Command } from 'commander'

/** One for each command, by its words; `--help` shows it. */
export const examples: Readonly<Record<string, string>> = {
  start: '--config catchment.yaml',
  'config check': 'catchment.yaml',
  'config schema': '',
  'key reset': '',
  status: '',
  sync: 'github repository',
  get: 'service:acme/checkout',
  search: "'blueprint:service team:payments -has:codeowners stars:>10 sort:-updated'",
  explain: 'service:acme/checkout',
  scans: '--source github --state incomplete',
  'scan show': '1',
  quarantine: '--source github --kind repository',
  deliveries: '--source github --state dead',
  'deliveries replay': '12',
  'record get': 'github repository 1296269',
  held: '--source github',
  'held approve': '--all --source github',
  'held reject': '3 4',
  'source remove': 'legacy',
  history: 'service:acme/checkout',
  diff: 'service:acme/checkout --from 2026-11-24',
  undo: 'service:acme/checkout --reason "it is being restored"',
  unpin: 'service:acme/checkout',
  pins: '',
  changes: '--after start --blueprint service --limit 10',
  put: 'service:acme/checkout tier=gold',
  compare: 'export.json',
  related: 'service:acme/checkout --depth 2',
  dangling: '',
  conflicts: '',
  plan: '--source github',
  apply: '--yes',
  rollback: 'github --yes',
  'mapping versions': '--source github',
  'mapping diff': '1 2',
  'mapping test': 'mapping.yaml --kind item --items items.json',
  'mapping eval': '-n "[1, 2] | add"',
  'mapping lint': 'mapping.yaml',
  'init github': '--org acme --output catchment.yaml',
  check: '--config catchment.yaml',
  'sandbox break': 'lose-permission',
  'sandbox heal': '',
  tour: '--yes',
}

/** Its words, without those of its group's own program. */
export function pathOf(command: Command): string {
  const names: string[] = []
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

export function addExamples(program: Command): void {
  for (const command of program.commands) {
    addExamples(command)
    const path = pathOf(command)
    const example = examples[path]
    if (example !== undefined) command.addHelpText('after', `\nExample:\n  catchment ${`${path} ${example}`.trim()}`)
  }
}
