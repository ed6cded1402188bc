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

/** What tells one repository from another. Texts are such that JSON has nothing to escape in them. */
function fieldsOf(id: number, changed: boolean) {
  const word = (salt: number): string => words[scatter(id, salt, words.length)] ?? ''
  const sentence = (of: number): string =>
    `The ${word(of + 10)} of the ${word(of + 20)} ${word(of + 30)} keeps its ${word(of + 40)}.`
  return {
    id: 100_000_000 + id,
    node: (100_000_000 + id).toString(36),
    name: `${word(1)}-${word(2)}-${id}`,
    description: `${changed ? 'Changed. ' : ''}${sentence(0)} ${sentence(1)}`,
    language: languages[scatter(id, 4, languages.length)] ?? '',
    team: `${word(5)}-${scatter(id, 6, 20)}`,
    domain: word(7),
    tier: 1 + scatter(id, 8, 3),
    topic: word(9),
    archived: scatter(id, 50, 20) === 0,
    stars: scatter(id, 51, 200),
    forks: scatter(id, 52, 20),
    day: String(1 + scatter(id, 3, 28)).padStart(2, '0'),
    updated: changed ? '2026-11' : '2026-10',
    centre: scatter(id, 60, 400),
    dashboard: (id * 7919).toString(36),
  }
}

type Fields = Readonly<Record<keyof ReturnType<typeof fieldsOf>, string | number | boolean>>

/** About 1.5 KB. */
function repository(it: Fields): Json {
  return {
    id: it.id,
    node_id: `R_kgDO${it.node}`,
    name: it.name,
    full_name: `acme/${it.name}`,
    private: true,
    owner: {
      login: 'acme',
      id: 4711,
      node_id: 'O_kgDOABCD',
      type: 'Organization',
      html_url: 'https://github.com/acme',
      avatar_url: 'https://avatars.githubusercontent.com/u/4711?v=4',
    },
    html_url: `https://github.com/acme/${it.name}`,
    description: it.description,
    fork: false,
    homepage: `https://docs.acme.example/services/${it.name}`,
    language: it.language,
    topics: [`team-${it.team}`, `domain-${it.domain}`, `tier-${it.tier}`, it.topic],
    visibility: 'private',
    archived: it.archived,
    disabled: false,
    is_template: false,
    default_branch: 'main',
    license: { key: 'apache-2.0', name: 'Apache License 2.0', spdx_id: 'Apache-2.0' },
    stargazers_count: it.stars,
    forks_count: it.forks,
    clone_url: `https://github.com/acme/${it.name}.git`,
    ssh_url: `git@github.com:acme/${it.name}.git`,
    created_at: `2023-04-${it.day}T09:12:45Z`,
    updated_at: `${it.updated}-${it.day}T17:31:02Z`,
    pushed_at: `2026-10-${it.day}T17:30:59Z`,
    custom_properties: {
      cost_center: `cc-${it.centre}`,
      data_classification: 'internal',
      runtime_environment: 'kubernetes-production-eu-central',
      on_call_schedule: `https://oncall.acme.example/schedules/${it.team}`,
      compliance: ['soc2', 'iso27001', 'gdpr-data-processor'],
      dashboards: `https://grafana.acme.example/d/${it.dashboard}/${it.name}-overview`,
      review_policy: 'two approvals of code owners, no self approval, branch must be up to date',
    },
  }
}

/** From `first` to before `last`, each a function of its number; those below `changed` are other than they were. */
export function repositories(first: number, last: number, changed: number): readonly Json[] {
  return Array.from({ length: last - first }, (_, index) =>
    repository(fieldsOf(first + index, first + index < changed)),
  )
}

/** Text of a repository, and between its pieces the names of what differs. */
const pieces = piecesOf()

function piecesOf(): { readonly texts: readonly string[]; readonly names: readonly (keyof Fields)[] } {
  // Of these keys.
  const names = Object.keys(fieldsOf(0, false)) as (keyof Fields)[]
  const marks = Object.fromEntries(names.map((name) => [name, `<${name}>`])) as Fields
  // What is no text stands without quotes.
  const template = JSON.stringify(repository(marks)).replaceAll(/"<(id|archived|stars|forks)>"/g, '<$1>')
  const parts = template.split(/<(\w+)>/)
  return {
    texts: parts.filter((_, index) => index % 2 === 0),
    names: parts.filter((_, index) => index % 2 === 1) as (keyof Fields)[],
  }
}

/**
 * The JSON text of `repositories`, made as by a server that knows the shape of its answers: what all of them have in common
 * was written once, and what differs is written anew for each.
 */
export function repositoriesText(first: number, last: number, changed: number): string {
  const { texts, names } = pieces
  let text = ''
  for (let id = first; id < last; id++) {
    const fields = fieldsOf(id, id < changed)
    text += id === first ? '' : ','
    for (const [index, name] of names.entries()) text += `${texts[index]}${fields[name]}`
    text += texts.at(-1)
  }
  return `[${text}]`
}
