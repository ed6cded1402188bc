import { type Hands, type Item, not, type Row, twoPages, untilMoved, withField } from './row.fixture.ts'

/** What an organisation is asked for as a whole. */
export function organizationRows({ change }: Hands): readonly Row[] {
  const named = (item: Item, field: string): string => String(item[field])
  const repository = (item: Item): string => `/repos/acme/${named(item, 'name')}`
  const team = (item: Item): string => `/orgs/acme/teams/${named(item, 'slug')}`
  const makeTeam = async (name: string) => withField('id', (await change('POST', '/orgs/acme/teams', { name }))['id'])
  const member = '/orgs/acme/memberships/eilidh-fraser'

  return [
    {
      kind: 'organization',
      partition: 'acme',
      make: async () => withField('login', 'acme'),
      pages: not('an organisation is a partition of its own, with one object in it'),
      rename: { by: () => change('PATCH', '/orgs/acme', { description: 'renamed' }) },
      remove: not('one that is gone answers as one that is hidden does: the fourth column has it'),
      events: not(
        'GitHub tells of no change of a profile; renamed ones are in webhooks.test.ts, since no call renames',
      ),
    },
    {
      kind: 'repository',
      partition: 'acme',
      make: async (n) =>
        withField('id', (await change('POST', '/orgs/acme/repos', { name: `made-${n}`, private: true }))['id']),
      pages: twoPages,
      rename: { by: (item) => change('PATCH', repository(item), { name: `${named(item, 'name')}-new` }) },
      remove: { by: (item) => change('DELETE', `/repositories/${named(item, 'id')}`) },
      events: {
        told: [
          { event: 'repository.created', cause: () => change('POST', '/orgs/acme/repos', { name: 'told' }) },
          { event: 'repository.edited', cause: (it) => change('PATCH', repository(it), { description: 'told' }) },
          { event: 'repository.archived', cause: (it) => change('PATCH', repository(it), { archived: true }) },
          { event: 'repository.unarchived', cause: (it) => change('PATCH', repository(it), { archived: false }) },
          { event: 'repository.publicized', cause: (it) => change('PATCH', repository(it), { private: false }) },
          { event: 'repository.privatized', cause: (it) => change('PATCH', repository(it), { private: true }) },
          { event: 'public', cause: (it) => change('PATCH', repository(it), { private: false }) },
          {
            event: 'push',
            cause: (it) =>
              untilMoved(
                it['pushed_at'],
                () => change('PUT', `${repository(it)}/contents/a.md`, { message: 'x', content: 'YQ==' }),
                async () => (await change('GET', repository(it)))['pushed_at'],
              ),
          },
          {
            event: 'star.created',
            sentAs: 'repository.edited',
            cause: (it) => change('PATCH', repository(it), { description: 'starred' }),
          },
          {
            event: 'fork',
            sentAs: 'repository.edited',
            cause: (it) => change('PATCH', repository(it), { description: 'forked' }),
          },
          { event: 'repository.renamed', cause: (it) => change('PATCH', repository(it), { name: 'made-told' }) },
          {
            event: 'repository.transferred',
            cause: () => change('POST', '/repos/acme/made-told/transfer', { new_owner: 'acme-labs' }),
          },
          { event: 'repository.deleted', cause: (it) => change('DELETE', `/repositories/${named(it, 'id')}`) },
        ],
      },
    },
    {
      kind: 'team',
      partition: 'acme',
      make: (n) => makeTeam(`Made ${n}`),
      pages: twoPages,
      rename: { by: (item) => change('PATCH', team(item), { name: 'Made anew' }) },
      remove: { by: () => change('DELETE', '/orgs/acme/teams/made-anew') },
      events: {
        told: [
          { event: 'team.created', cause: () => change('POST', '/orgs/acme/teams', { name: 'Told' }) },
          { event: 'team.edited', cause: (item) => change('PATCH', team(item), { description: 'told' }) },
          { event: 'team.deleted', cause: (item) => change('DELETE', team(item)) },
        ],
      },
    },
    {
      kind: 'team-access',
      partition: 'acme',
      make: (n) => makeTeam(`Access ${n}`),
      pages: twoPages,
      rename: { by: (item) => change('PATCH', team(item), { name: 'Access anew' }) },
      remove: { by: () => change('DELETE', '/orgs/acme/teams/access-anew') },
      events: {
        told: [
          { event: 'membership.added', cause: (it) => change('PUT', `${team(it)}/memberships/mei-tanaka`) },
          { event: 'membership.removed', cause: (it) => change('DELETE', `${team(it)}/memberships/mei-tanaka`) },
          { event: 'team.added_to_repository', cause: (it) => change('PUT', `${team(it)}/repos/acme/checkout`) },
          {
            event: 'team.removed_from_repository',
            cause: (it) => change('DELETE', `${team(it)}/repos/acme/checkout`),
          },
          { event: 'team_add', cause: (it) => change('PUT', `${team(it)}/repos/acme/checkout`) },
          { event: 'team.deleted', cause: (it) => change('DELETE', team(it)) },
        ],
      },
    },
    {
      kind: 'user',
      partition: 'acme',
      make: async () => {
        await change('PUT', member, { role: 'member' })
        return withField('login', 'eilidh-fraser')
      },
      pages: twoPages,
      rename: not('the sandbox has no call that renames a person; github.test.ts asks by another login'),
      remove: { by: () => change('DELETE', member) },
      events: {
        told: [
          { event: 'organization.member_removed', cause: () => change('DELETE', member) },
          { event: 'organization.member_added', cause: () => change('PUT', member, { role: 'member' }) },
        ],
      },
    },
  ]
}
