import { createRequire } from 'node:module'
import type { Json } from '../core/model/json.ts'

/** A kind of item with the expressions a mapping has for it, and the same written by hand. */
export interface Shape {
  readonly name: string
  /** The nth item; texts of different items differ. */
  item(n: number): Json
  readonly expressions: Readonly<Record<string, string>>
  // A hand-written mapping knows the shape of its items; the types of the examples would only get in the way.
  readonly byHand: (item: never) => Readonly<Record<string, Json>>
}

const example = loadExamples()

/** Objects of GitHub's webhooks as GitHub itself documents them. */
function loadExamples(): (event: string, key: string, least: number) => Record<string, Json> {
  const examples: { name: string; examples: Record<string, Record<string, Json>>[] }[] = createRequire(import.meta.url)(
    '@octokit/webhooks-examples',
  )
  return (event, key, least) => {
    const bodies = examples.find(({ name }) => name === event)?.examples ?? []
    const body = bodies.map((each) => each[key]).find((each) => JSON.stringify(each ?? null).length >= least)
    if (body === undefined) throw new Error(`there is no ${key} of ${least} bytes among the examples of ${event}`)
    return body
  }
}

interface PullRequest {
  readonly number: number
  readonly title: string
  readonly state: string
  readonly draft: boolean
  readonly merged_at: string | null
  readonly created_at: string
  readonly html_url: string
  readonly additions: number
  readonly deletions: number
  readonly user: { readonly login: string }
  readonly labels: readonly { readonly name: string }[]
  readonly requested_reviewers: readonly { readonly login: string }[]
  readonly head: { readonly ref: string; readonly repo: { readonly full_name: string } }
  readonly base: { readonly repo: { readonly full_name: string; readonly topics?: readonly string[] } }
}

const pullRequest: Shape = {
  name: 'pull request',
  item: (n) => ({
    ...example('pull_request', 'pull_request', 17_000),
    number: n,
    labels: [{ name: 'kind/bug' }, { name: `area/${n % 9}` }, { name: 'size/L' }],
    requested_reviewers: [
      { login: 'ada', type: 'User' },
      { login: 'renovate[bot]', type: 'Bot' },
    ],
  }),
  expressions: {
    identifier: '"\\(.base.repo.full_name)#\\(.number)"',
    title: '.title',
    status: 'if .merged_at != null then "merged" elif .draft then "draft" else .state end',
    creator: '.user.login',
    link: '.html_url',
    created: '.created_at',
    changed: '.additions + .deletions',
    large: '(.additions + .deletions) > 500',
    labels: '.labels | map(.name) | join(",")',
    areas: '.labels | map(select(.name | startswith("area/")) | .name | ltrimstr("area/"))',
    reviewers: '.requested_reviewers | map(select(.login | test("\\\\[bot\\\\]$") | not) | .login)',
    branch: '.head.ref // "unknown"',
    fork: '.head.repo.full_name != .base.repo.full_name',
  },
  byHand: (item: PullRequest) => ({
    identifier: `${item.base.repo.full_name}#${item.number}`,
    title: item.title,
    status: item.merged_at !== null ? 'merged' : item.draft ? 'draft' : item.state,
    creator: item.user.login,
    link: item.html_url,
    created: item.created_at,
    changed: item.additions + item.deletions,
    large: item.additions + item.deletions > 500,
    labels: item.labels.map(({ name }) => name).join(','),
    areas: item.labels.filter(({ name }) => name.startsWith('area/')).map(({ name }) => name.slice(5)),
    reviewers: item.requested_reviewers.filter(({ login }) => !login.endsWith('[bot]')).map(({ login }) => login),
    branch: item.head.ref,
    fork: item.head.repo.full_name !== item.base.repo.full_name,
  }),
}

interface Repository {
  readonly full_name: string
  readonly name: string
  readonly html_url: string
  readonly language: string | null
  readonly description: string | null
  readonly archived: boolean
  readonly private: boolean
  readonly default_branch: string
  readonly topics: readonly string[]
  readonly owner: { readonly login: string }
  readonly stargazers_count: number
  readonly open_issues_count: number
}

const repository: Shape = {
  name: 'repository',
  item: (n) => ({
    ...example('workflow_job', 'repository', 5500),
    full_name: `acme/service-${n}`,
    topics: ['domain-payments', 'tier-1', 'go', `team-${n % 7}`],
  }),
  expressions: {
    identifier: '.full_name',
    title: '.name',
    url: '.html_url',
    language: '.language // "none"',
    description: '.description // ""',
    lifecycle: 'if .archived then "archived" else "production" end',
    visibility: 'if .private then "private" else "public" end',
    branch: '.default_branch',
    domain: '.topics | map(select(startswith("domain-")))[0]',
    tier: '.topics | map(select(test("^tier-[0-9]$"))) | first',
    team: '.topics | map(select(startswith("team-")) | ltrimstr("team-")) | first',
    owner: '.owner.login | ascii_downcase',
    popular: '.stargazers_count > 100 and .open_issues_count < 50',
  },
  byHand: (item: Repository) => ({
    identifier: item.full_name,
    title: item.name,
    url: item.html_url,
    language: item.language ?? 'none',
    description: item.description ?? '',
    lifecycle: item.archived ? 'archived' : 'production',
    visibility: item.private ? 'private' : 'public',
    branch: item.default_branch,
    domain: item.topics.find((topic) => topic.startsWith('domain-')) ?? null,
    tier: item.topics.find((topic) => /^tier-[0-9]$/.test(topic)) ?? null,
    team: item.topics.find((topic) => topic.startsWith('team-'))?.slice(5) ?? null,
    owner: item.owner.login.toLowerCase(),
    popular: item.stargazers_count > 100 && item.open_issues_count < 50,
  }),
}

interface Incident {
  readonly id: string
  readonly title: string
  readonly status: string
  readonly urgency: string
  readonly created_at: string
  readonly resolved_at: string | null
  readonly html_url: string
  readonly service: { readonly id: string; readonly summary: string }
  readonly assignments: readonly { readonly assignee: { readonly summary: string; readonly email: string } }[]
  readonly priority: { readonly name: string } | null
  readonly alert_counts: { readonly all: number; readonly triggered: number }
}

const person = (n: number) => ({
  id: `P${n}USER`,
  type: 'user_reference',
  summary: `Person Number ${n}`,
  self: `https://api.example.com/users/P${n}USER`,
  html_url: `https://acme.example.com/users/P${n}USER`,
  email: `person${n}@${n % 2 === 0 ? 'acme.example' : 'contractor.example'}`,
})

const incident: Shape = {
  name: 'incident',
  item: (n) => ({
    id: `Q${n}INC`,
    type: 'incident',
    incident_number: n,
    title: `[#${n}] Error rate of checkout is above the threshold`,
    description: 'The share of failed requests was above five percent for ten minutes. '.repeat(20),
    status: n % 3 === 0 ? 'resolved' : 'triggered',
    urgency: 'high',
    created_at: '2026-03-05T23:51:47Z',
    resolved_at: n % 3 === 0 ? '2026-03-06T00:21:47Z' : null,
    html_url: `https://acme.example.com/incidents/Q${n}INC`,
    service: { id: `S${n % 50}`, summary: 'checkout', html_url: 'https://acme.example.com/services/S1' },
    assignments: Array.from({ length: 4 }, (_each, at) => ({ at: '2026-03-05T23:51:47Z', assignee: person(n + at) })),
    acknowledgements: Array.from({ length: 4 }, (_each, at) => ({
      at: '2026-03-05T23:53:47Z',
      acknowledger: person(n + at),
    })),
    teams: Array.from({ length: 3 }, (_each, at) => ({ id: `T${at}`, type: 'team_reference', summary: `Team ${at}` })),
    priority: n % 4 === 0 ? null : { id: 'PRIO', name: `P${n % 4}` },
    alert_counts: { all: 5, triggered: n % 5, resolved: 5 - (n % 5) },
    escalation_policy: {
      id: 'E1',
      summary: 'Checkout, day and night',
      html_url: 'https://acme.example.com/escalation/E1',
    },
    log: Array.from({ length: 6 }, (_each, at) => ({
      id: `L${at}`,
      summary: `Notified person ${at}`,
      channel: 'mobile',
    })),
  }),
  expressions: {
    identifier: '.id | tostring',
    title: '.title | sub("^\\\\[#[0-9]+\\\\] "; "")',
    status: '.status',
    urgency: '.urgency',
    created: '.created_at',
    open: '.resolved_at == null',
    link: '.html_url',
    service: '.service.id',
    assignees: '.assignments | map(.assignee.email)',
    own: '[.assignments[] | select(.assignee.email | test("@acme\\\\.example$")) | .assignee.summary]',
    priority: '.priority.name // "none"',
    quiet: '.alert_counts.triggered == 0 or .status == "resolved"',
  },
  byHand: (item: Incident) => ({
    identifier: item.id,
    title: item.title.replace(/^\[#[0-9]+\] /, ''),
    status: item.status,
    urgency: item.urgency,
    created: item.created_at,
    open: item.resolved_at === null,
    link: item.html_url,
    service: item.service.id,
    assignees: item.assignments.map(({ assignee }) => assignee.email),
    own: item.assignments
      .filter(({ assignee }) => assignee.email.endsWith('@acme.example'))
      .map(({ assignee }) => assignee.summary),
    priority: item.priority?.name ?? 'none',
    quiet: item.alert_counts.triggered === 0 || item.status === 'resolved',
  }),
}

interface Deployment {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> }
  readonly spec: {
    readonly replicas: number
    readonly strategy: { readonly type: string }
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] }
    }
  }
  readonly status: {
    readonly readyReplicas?: number
    readonly conditions: readonly { readonly type: string; readonly status: string }[]
  }
}

const container = (name: string, n: number) => ({
  name,
  image: `registry.example.com/acme/${name}:1.${n}.0`,
  ports: [{ containerPort: 8080, protocol: 'TCP' }],
  resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
  env: [
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'REGION', value: 'eu-central-1' },
    { name: 'PORT', value: '8080' },
  ],
  livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10 },
  terminationMessagePath: '/dev/termination-log',
})

const deployment: Shape = {
  name: 'deployment',
  item: (n) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: `checkout-${n}`,
      namespace: n % 4 === 0 ? 'kube-system' : 'shop',
      uid: `0b5c2a3e-0000-4000-8000-${String(n).padStart(12, '0')}`,
      labels: { app: 'checkout', team: `team-${n % 7}`, 'app.kubernetes.io/part-of': 'shop' },
      annotations: {
        'deployment.kubernetes.io/revision': String(n),
        'kubernetes.io/description':
          'Takes orders, reserves stock and hands payments over to the payment service. '.repeat(5),
        'argocd.argoproj.io/tracking-id': `shop:apps/Deployment:shop/checkout-${n}`,
      },
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'checkout' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: {
        metadata: { labels: { app: 'checkout' } },
        spec: {
          containers: [container('checkout', n), container('istio-proxy', n), container('exporter', n)],
          restartPolicy: 'Always',
        },
      },
    },
    status: {
      replicas: 3,
      readyReplicas: n % 3,
      observedGeneration: n,
      conditions: [
        { type: 'Available', status: n % 3 === 0 ? 'False' : 'True', reason: 'MinimumReplicasAvailable' },
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
      ],
    },
  }),
  expressions: {
    identifier: '"\\(.metadata.namespace)/\\(.metadata.name)"',
    title: '.metadata.name',
    namespace: '.metadata.namespace',
    team: '.metadata.labels.team',
    part: '.metadata.labels["app.kubernetes.io/part-of"]',
    replicas: '.spec.replicas',
    ready: '(.status.readyReplicas // 0) >= .spec.replicas',
    strategy: '.spec.strategy.type',
    images: '.spec.template.spec.containers | map(.image)',
    own: '[.spec.template.spec.containers[] | select(.name | test("^istio") | not) | .name] | join(", ")',
    healthy: '.status.conditions | map(select(.type == "Available") | .status)[0]',
    system: '.metadata.namespace | startswith("kube-")',
    tag: '.spec.template.spec.containers[0].image | split(":") | last',
  },
  byHand: (item: Deployment) => ({
    identifier: `${item.metadata.namespace}/${item.metadata.name}`,
    title: item.metadata.name,
    namespace: item.metadata.namespace,
    team: item.metadata.labels['team'] ?? null,
    part: item.metadata.labels['app.kubernetes.io/part-of'] ?? null,
    replicas: item.spec.replicas,
    ready: (item.status.readyReplicas ?? 0) >= item.spec.replicas,
    strategy: item.spec.strategy.type,
    images: item.spec.template.spec.containers.map(({ image }) => image),
    own: item.spec.template.spec.containers
      .filter(({ name }) => !name.startsWith('istio'))
      .map(({ name }) => name)
      .join(', '),
    healthy: item.status.conditions.find(({ type }) => type === 'Available')?.status ?? null,
    system: item.metadata.namespace.startsWith('kube-'),
    tag: item.spec.template.spec.containers[0]?.image.split(':').at(-1) ?? null,
  }),
}

export const shapes: readonly Shape[] = [pullRequest, repository, incident, deployment]
