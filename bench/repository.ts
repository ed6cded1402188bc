import type { Json } from '../core/sdk/index.ts'

const languages = ['Go', 'TypeScript', 'Java', 'Python', 'Rust', 'Kotlin', 'C++', 'Elixir']
const words =
  'payment ledger gateway invoice order basket search index worker mailer report metric audit token session queue'.split(
    ' ',
  )

/** Numbers from a seed that look unrelated: a step of a linear congruence. */
function scatter(seed: number, salt: number, below: number): number {
  return (Math.imul(seed + salt * 7919, 2654435761) >>> 8) % below
}

/** About 1.5 KB. */
function repository(id: number, changed: boolean): Json {
  const word = (salt: number): string => words[scatter(id, salt, words.length)] ?? ''
  const name = `${word(1)}-${word(2)}-${id}`
  const day = String(1 + scatter(id, 3, 28)).padStart(2, '0')
  const sentences = Array.from(
    { length: 2 },
    (_, index) =>
      `The ${word(index + 10)} of the ${word(index + 20)} ${word(index + 30)} keeps its ${word(index + 40)}.`,
  )
  return {
    id: 100_000_000 + id,
    node_id: `R_kgDO${(100_000_000 + id).toString(36)}`,
    name,
    full_name: `acme/${name}`,
    private: true,
    owner: {
      login: 'acme',
      id: 4711,
      node_id: 'O_kgDOABCD',
      type: 'Organization',
      html_url: 'https://github.com/acme',
      avatar_url: 'https://avatars.githubusercontent.com/u/4711?v=4',
    },
    html_url: `https://github.com/acme/${name}`,
    description: `${changed ? 'Changed. ' : ''}${sentences.join(' ')}`,
    fork: false,
    homepage: `https://docs.acme.example/services/${name}`,
    language: languages[scatter(id, 4, languages.length)] ?? null,
    topics: [`team-${word(5)}-${scatter(id, 6, 20)}`, `domain-${word(7)}`, `tier-${1 + scatter(id, 8, 3)}`, word(9)],
    visibility: 'private',
    archived: scatter(id, 50, 20) === 0,
    disabled: false,
    is_template: false,
    default_branch: 'main',
    license: { key: 'apache-2.0', name: 'Apache License 2.0', spdx_id: 'Apache-2.0' },
    stargazers_count: scatter(id, 51, 200),
    forks_count: scatter(id, 52, 20),
    clone_url: `https://github.com/acme/${name}.git`,
    ssh_url: `git@github.com:acme/${name}.git`,
    created_at: `2023-04-${day}T09:12:45Z`,
    updated_at: changed ? `2026-11-${day}T10:00:00Z` : `2026-10-${day}T17:31:02Z`,
    pushed_at: `2026-10-${day}T17:30:59Z`,
    custom_properties: {
      cost_center: `cc-${scatter(id, 60, 400)}`,
      data_classification: 'internal',
      runtime_environment: 'kubernetes-production-eu-central',
      on_call_schedule: `https://oncall.acme.example/schedules/${word(5)}-${scatter(id, 6, 20)}`,
      compliance: ['soc2', 'iso27001', 'gdpr-data-processor'],
      dashboards: `https://grafana.acme.example/d/${(id * 7919).toString(36)}/${name}-overview`,
      review_policy: 'two approvals of code owners, no self approval, branch must be up to date',
    },
  }
}

/** From `first` to before `last`, each a function of its number; those below `changed` are other than they were. */
export function repositories(first: number, last: number, changed: number): readonly Json[] {
  return Array.from({ length: last - first }, (_, index) => repository(first + index, first + index < changed))
}
