import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Moves } from './moves.ts'
import { byPeople, type TableName, tables, transition } from './states.ts'

const spec = readFileSync(new URL('../../docs/sync-spec.md', import.meta.url), 'utf8')

/** The first table of each section whose heading is `## Name: ...`. */
function documented(): Record<string, string[]> {
  const sections = spec.split(/^## /mu).slice(1)
  const named = sections.flatMap((section) => {
    const name = /^(\w+): /u.exec(section)?.[1]?.toLowerCase()
    const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| from |'))
    const cells = rows.map((line) => line.split('|').map((cell) => cell.trim()))
    return name === undefined ? [] : [[name, cells] as const]
  })
  return Object.fromEntries(
    named.map(([name, cells]) => {
      // A row without a sentence that says what it means is not documented.
      const rows = cells.filter(([, , , , why]) => why !== '').map(([, from, event, to]) => `${from} ${event} ${to}`)
      return [name, rows]
    }),
  )
}

describe('the state tables', () => {
  it('are the same in the specification and in the code', () => {
    const coded = Object.entries(tables).map(([name, rows]) => [
      name,
      rows.map(({ from, event, to }) => `${from} ${event} ${to}`),
    ])
    expect(documented()).toEqual(Object.fromEntries(coded))
  })

  it('have one way from each state by each event, and reach every state', () => {
    for (const [name, rows] of Object.entries(tables)) {
      const starts = rows.map(({ from, event }) => `${from} ${event}`)
      expect(new Set(starts).size, name).toBe(starts.length)
      const reached = new Set(['none', ...rows.map(({ to }) => to)])
      for (const { from } of rows) expect(reached.has(from), `${name} ${from}`).toBe(true)
    }
    for (const { table, event } of byPeople) expect(tables[table].some((row) => row.event === event)).toBe(true)
  })

  it('throw for what is not listed, and tell what is taken', () => {
    expect(() => transition('scan', 'complete', 'page')).toThrow(
      'No transition from scan "complete" by "page" is listed.',
    )
    const seen: string[] = []
    const tell = (table: TableName, { from, event, to }: { from: string; event: string; to: string }) =>
      void seen.push(`${table} ${from} ${event} ${to}`)
    expect(transition('scan', 'none', 'begin', tell)).toBe('running')
    const moves = new Moves()
    for (let time = 0; time < 3; time++) expect(moves.add('presence', 'live', 'confirm')).toBe('live')
    expect(() => moves.add('presence', 'gone', 'remove')).toThrow('No transition')
    expect(seen).toEqual(['scan none begin running'])
    moves.report(tell)
    expect(seen).toEqual(['scan none begin running', 'presence live confirm live'])
  })
})
