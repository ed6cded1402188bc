import {
  type Hands,
  home,
  type Item,
  not,
  type Row,
  repo,
  sha,
  twoPages,
  untilMoved,
  withField,
} from './row.fixture.ts'

/** What people and machines do in a repository. */
export function workRows({ control, change }: Hands): readonly Row[] {
  const partition = home
  const number = (item: Item): string => String(item['number'])
  const id = (item: Item): string => String(item['id'])
  const pull = (item: Item, body: object): Promise<unknown> => change('PATCH', `${repo}/pulls/${number(item)}`, body)
  const issue = (item: Item, body: object): Promise<unknown> => change('PATCH', `${repo}/issues/${number(item)}`, body)
  const makePull = async (head: string): Promise<unknown> => {
    await change('POST', `${repo}/git/refs`, { ref: `refs/heads/${head}`, sha })
    return (await change('POST', `${repo}/pulls`, { title: head, head, base: 'main' }))['number']
  }
  const retitled = (event: string): { event: string; sentAs: string; cause(item: Item): Promise<unknown> } => ({
    event,
    sentAs: 'pull_request.edited',
    cause: (item) => pull(item, { title: event }),
  })

  return [
    {
      kind: 'pull-request',
      partition,
      make: async (n) => withField('number', await makePull(`p${n}`)),
      pages: twoPages,
      rename: { by: (item) => pull(item, { title: 'renamed' }) },
      // Nobody wants it any more, where the open ones are wanted.
      remove: { by: (item) => pull(item, { state: 'closed' }) },
      events: {
        told: [
          { event: 'pull_request.opened', cause: () => makePull('pull-told') },
          { event: 'pull_request.edited', cause: (item) => pull(item, { title: 'told' }) },
          {
            event: 'pull_request.review_requested',
            cause: (item) =>
              change('POST', `${repo}/pulls/${number(item)}/requested_reviewers`, { reviewers: ['mei-tanaka'] }),
          },
          retitled('pull_request_review.submitted'),
          retitled('pull_request_review_comment.created'),
          retitled('pull_request_review_thread.resolved'),
          { event: 'pull_request.closed', cause: (item) => pull(item, { state: 'closed' }) },
          { event: 'pull_request.reopened', cause: (item) => pull(item, { state: 'open' }) },
        ],
      },
    },
    {
      kind: 'issue',
      partition,
      make: async (n) => withField('number', (await change('POST', `${repo}/issues`, { title: `I${n}` }))['number']),
      pages: twoPages,
      rename: { by: (item) => issue(item, { title: 'renamed' }) },
      remove: { by: (item) => control().deleteIssue(home, Number(item['number'])) },
      events: {
        told: [
          { event: 'issues.opened', cause: () => change('POST', `${repo}/issues`, { title: 'told' }) },
          { event: 'issues.edited', cause: (item) => issue(item, { title: 'told' }) },
          {
            event: 'issue_comment.created',
            sentAs: 'issues.edited',
            cause: (item) => issue(item, { title: 'commented' }),
          },
          { event: 'issues.closed', cause: (item) => issue(item, { state: 'closed' }) },
          { event: 'issues.reopened', cause: (item) => issue(item, { state: 'open' }) },
          {
            event: 'issues.deleted',
            cause: (item) => control().deleteIssue(home, Number(item['number'])),
          },
        ],
      },
    },
    {
      kind: 'release',
      partition,
      make: async (n) => withField('id', (await change('POST', `${repo}/releases`, { tag_name: `r${n}` }))['id']),
      pages: twoPages,
      rename: { by: (item) => change('PATCH', `${repo}/releases/${id(item)}`, { name: 'renamed' }) },
      remove: { by: (item) => change('DELETE', `${repo}/releases/${id(item)}`) },
      events: {
        told: [
          { event: 'release.published', cause: () => change('POST', `${repo}/releases`, { tag_name: 'told' }) },
          { event: 'release.created', cause: () => change('POST', `${repo}/releases`, { tag_name: 'c', draft: true }) },
          { event: 'release.edited', cause: (it) => change('PATCH', `${repo}/releases/${id(it)}`, { name: 'told' }) },
          { event: 'release.deleted', cause: (it) => change('DELETE', `${repo}/releases/${id(it)}`) },
        ],
      },
    },
    {
      kind: 'workflow-run',
      partition,
      make: async () => {
        await change('POST', `${repo}/actions/workflows/ci.yaml/dispatches`, { ref: 'main' })
        return withField('event', 'workflow_dispatch')
      },
      pages: twoPages,
      rename: not('a run is called after its workflow and its number, which nobody changes'),
      remove: { by: (item) => change('DELETE', `${repo}/actions/runs/${id(item)}`) },
      events: {
        told: ['workflow_run.requested', 'workflow_run.completed'].map((event) => ({
          event,
          cause: () => change('POST', `${repo}/actions/workflows/ci.yaml/dispatches`, { ref: 'main' }),
        })),
      },
    },
    {
      kind: 'environment',
      partition,
      make: async (n) => withField('id', (await change('PUT', `${repo}/environments/e${n}`, {}))['id']),
      pages: twoPages,
      rename: {
        by: (item) => change('PUT', `${repo}/environments/${String(item['name'])}`, { wait_timer: 5 }),
      },
      remove: { by: (item) => change('DELETE', `${repo}/environments/${String(item['name'])}`) },
      events: not('GitHub tells of none'),
    },
    {
      kind: 'deployment',
      partition,
      make: async () => withField('id', (await change('POST', `${repo}/deployments`, { ref: 'main' }))['id']),
      pages: twoPages,
      rename: not('nobody changes a deployment; its statuses move `updated_at` alone, which the events have'),
      remove: { by: (item) => change('DELETE', `${repo}/deployments/${id(item)}`) },
      events: {
        told: [
          { event: 'deployment.created', cause: () => change('POST', `${repo}/deployments`, { ref: 'main' }) },
          {
            event: 'deployment_status.created',
            cause: (item) =>
              untilMoved(
                item['updated_at'],
                () => change('POST', `${repo}/deployments/${id(item)}/statuses`, { state: 'failure' }),
                async () => (await change('GET', `${repo}/deployments/${id(item)}`))['updated_at'],
              ),
          },
          {
            event: 'deployment_review.approved',
            sentAs: 'deployment.created',
            cause: () => change('POST', `${repo}/deployments`, { ref: 'main' }),
          },
        ],
      },
    },
    {
      kind: 'deployment-status',
      partition,
      make: async () => {
        const { id: deployment } = await change('POST', `${repo}/deployments`, { ref: 'main' })
        const path = `${repo}/deployments/${String(deployment)}/statuses`
        return withField('id', (await change('POST', path, { state: 'pending' }))['id'])
      },
      pages: twoPages,
      rename: not('a status is never changed; another one follows it'),
      remove: { by: (item) => change('DELETE', `${repo}/deployments/${deploymentOf(item)}`) },
      events: {
        told: [
          {
            event: 'deployment_status.created',
            cause: (item) => change('POST', `${repo}/deployments/${deploymentOf(item)}/statuses`, { state: 'failure' }),
          },
        ],
      },
    },
    {
      kind: 'collaborator',
      partition,
      make: async () => {
        await change('PUT', '/orgs/acme/teams/checkout/memberships/mei-tanaka', {})
        await change('PUT', `/orgs/acme/teams/checkout${repo}`, { permission: 'push' })
        return withField('login', 'mei-tanaka')
      },
      pages: twoPages,
      rename: {
        by: () => change('PUT', `/orgs/acme/teams/checkout${repo}`, { permission: 'maintain' }),
      },
      remove: { by: () => change('DELETE', '/orgs/acme/memberships/mei-tanaka') },
      events: {
        told: [
          {
            event: 'team.edited',
            cause: () => change('PUT', `/orgs/acme/teams/checkout${repo}`, { permission: 'admin' }),
          },
          {
            event: 'team.removed_from_repository',
            cause: () => change('DELETE', `/orgs/acme/teams/checkout${repo}`),
          },
          {
            event: 'team.added_to_repository',
            cause: () => change('PUT', `/orgs/acme/teams/checkout${repo}`, { permission: 'push' }),
          },
          {
            event: 'member.edited',
            sentAs: 'team.edited',
            cause: () => change('PUT', `/orgs/acme/teams/checkout${repo}`, { permission: 'triage' }),
            more: (item) => Promise.resolve({ member: { id: item['id'], login: item['login'] } }),
          },
        ],
      },
    },
  ]
}

const deploymentOf = (item: Item): string => String(item['deployment_url']).split('/').at(-1) ?? ''
