// Small things that happen in a living organisation, one at a time, in an order that the seed decides. What is made here
// is taken away again here, so the organisation stays about as large as it was.
import { createRepo, deleteRepo, updateRepo } from '../changes/repositories.ts'
import { grantRepo, joinTeam, leaveTeam } from '../changes/teams.ts'
import type { App } from '../http/route.ts'
import { Random } from '../seed/random.ts'
import { subjects, topicPool } from '../seed/words.ts'
import type { Org, Repo, User } from '../state/model.ts'
import type { Change } from '../webhooks/emit.ts'

/** So many passing repositories at once; then the oldest goes before another comes. */
const passingAtMost = 4

type Deed = 'create' | 'rename' | 'describe' | 'retopic' | 'archive' | 'join' | 'leave'
const deeds: readonly Deed[] = [
  'create',
  'retopic',
  'join',
  'rename',
  'describe',
  'leave',
  'create',
  'retopic',
  'archive',
]

export class Life {
  readonly #app: App
  #timer: NodeJS.Timeout | undefined

  constructor(app: App) {
    this.#app = app
  }

  start(seconds: number): void {
    this.#timer = setInterval(() => {
      try {
        this.steps(1)
      } catch (error) {
        // A full disk, say: nothing happened, and the next attempt may work.
        console.error('sandbox: life stood still', error)
      }
    }, seconds * 1000)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Lets so many things happen at once, and says what they were. */
  steps(count: number): string[] {
    return Array.from({ length: count }, () => this.#step())
  }

  #step(): string {
    const { world, sites } = this.#app
    const step = world.meta.lifeStep
    const random = new Random(world.meta.seed * 7919 + step)
    const org = world.org('acme')
    const people = [...world.all('users')].filter((user) => org && user.id in org.members)
    if (!org || people.length === 0) return 'nothing'
    const actor = random.pick(people)
    return world.transaction((tx) => {
      tx.put('meta', { ...world.meta, lifeStep: step + 1 })
      return this.#happen({ world, at: sites, tx, actor }, org, people, deeds[step % deeds.length] ?? 'retopic', random)
    })
  }

  #happen(c: Change, org: Org, people: readonly User[], deed: Deed, random: Random): string {
    const repos = c.world.reposOf(org.id)
    const passing = repos.filter((repo) => repo.passing)
    const [oldest] = passing
    if (deed === 'create') {
      if (!oldest || passing.length < passingAtMost) return this.#create(c, org, random)
      deleteRepo(c, oldest)
      return `deleted ${oldest.name}`
    }
    if (deed === 'join' || deed === 'leave') return this.#move(c, org, people, deed, random)
    const own = passing.filter((repo) => !repo.archived)
    if ((deed === 'rename' || deed === 'archive') && own.length === 0) return this.#create(c, org, random)
    if (deed === 'rename') {
      const repo = random.pick(own)
      const name = this.#free(c, org, `${repo.name.replace(/-(spike|next|v\d+)$/, '')}-v${random.int(2, 9)}`)
      updateRepo(c, repo, { name })
      return `renamed ${repo.name} to ${name}`
    }
    if (deed === 'archive') {
      const repo = random.pick(own)
      updateRepo(c, repo, { archived: true })
      return `archived ${repo.name}`
    }
    return this.#edit(c, random.pick(repos.filter((repo) => !repo.archived)), deed, random)
  }

  #create(c: Change, org: Org, random: Random): string {
    const name = this.#free(c, org, `${random.pick(subjects)}-${random.pick(['spike', 'next'])}`)
    const fields = {
      name,
      description: 'An experiment',
      visibility: 'private',
      topics: ['experimental'],
      passing: true,
    } as const
    const repo = createRepo(c, org, fields)
    const team = random.pick(c.world.teamsOf(org.id))
    grantRepo(c, org, team, repo, 'maintain')
    return `created ${name} for ${team.slug}`
  }

  #free(c: Change, org: Org, wanted: string): string {
    let name = wanted
    for (let n = 2; c.world.repo(org.login, name); n += 1) name = `${wanted}-${n}`
    return name
  }

  #edit(c: Change, repo: Repo, deed: 'describe' | 'retopic', random: Random): string {
    if (deed === 'describe') {
      // Toggled, so that a description does not grow for ever.
      const mark = ' (under review)'
      const text = repo.description ?? ''
      updateRepo(c, repo, { description: text.endsWith(mark) ? text.slice(0, -mark.length) : text + mark })
      return `described ${repo.name}`
    }
    const topic = random.pick(topicPool)
    const had = repo.topics.includes(topic)
    updateRepo(c, repo, { topics: had ? repo.topics.filter((one) => one !== topic) : [...repo.topics, topic] })
    return `${had ? 'took topic' : 'gave topic'} ${topic} ${had ? 'from' : 'to'} ${repo.name}`
  }

  #move(c: Change, org: Org, people: readonly User[], deed: 'join' | 'leave', random: Random): string {
    const team = random.pick(c.world.teamsOf(org.id))
    const user = random.pick(people.filter((one) => one.id in team.members === (deed === 'leave')))
    if (deed === 'join') joinTeam(c, org, team, user, 'member')
    else leaveTeam(c, org, team, user)
    return `${user.login} ${deed === 'join' ? 'joined' : 'left'} ${team.slug}`
  }
}
