import { expect, it } from 'vitest'
import { cli, eventually, type Running, startCatchment } from './testing/catchment.ts'
import { organisation, titled } from './testing/organisation.ts'

it('a changed mapping file is pending until it is applied, and a broken one leaves the active version alone', async () => {
  const { sandbox, options, configure, write, remove } = await organisation(12)
  await configure('mapping: ./mapping.yaml')
  const title = async (catchment: Running): Promise<unknown> => {
    const { body } = await catchment.get('/api/v1/entities?blueprint=service&limit=1&q=checkout')
    return (body as { items: { title: string }[] }).items[0]?.title
  }
  try {
    await write('mapping.yaml', titled('.name'))
    const first = await startCatchment(options)
    expect(await title(first)).toBe('checkout')
    await first.stop()

    await write('mapping.yaml', titled('.name + "!"'))
    const second = await startCatchment(options)
    expect(second.stderr()).toContain('has changed; the active version goes on')
    expect(await title(second)).toBe('checkout')
    await second.stop()

    await write('mapping.yaml', titled('.name | |'))
    const third = await startCatchment(options)
    expect(third.stderr()).toContain('has mistakes; the active version goes on')
    expect(third.stderr()).toMatch(/mapping\.yaml:5:\d+: /)
    expect(await title(third)).toBe('checkout')
    await third.stop()
    const refused = await cli(['start', '--apply'], options)
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain('[mapping_invalid]')

    await write('mapping.yaml', titled('.name + "!"'))
    await sandbox.control.clearRequests()
    const fourth = await startCatchment({ ...options, args: ['--apply'] })
    await eventually('the new title', async () => ((await title(fourth)) === 'checkout!' ? true : undefined))
    // The records are here: nothing is listed to map them again.
    const { counts } = await sandbox.control.requests()
    expect(counts.listings - counts.notModifiedListings).toBe(0)
    await fourth.stop()
  } finally {
    await remove()
  }
}, 240_000)

it('a mapping mistake is planned, seen, corrected, applied while it runs, and rolled back', async () => {
  const { sandbox, options, configure, write, remove } = await organisation(12)
  await configure('mapping: ./mapping.yaml')
  await write('mapping.yaml', titled('.name'))
  const catchment = await startCatchment(options)
  const titles = async (): Promise<string[]> => {
    const { body } = await catchment.get('/api/v1/entities?blueprint=service&limit=1000')
    return (body as { items: { title: string }[] }).items.map(({ title }) => title)
  }
  const run = (...args: string[]) => cli(args, options)
  try {
    expect((await run('plan', '--exit-code')).code).toBe(0)
    await sandbox.control.clearRequests()
    const before = await titles()

    // The mistake: everything in the organisation is deselected but what is called checkout.
    await write(
      'mapping.yaml',
      titled('.name').replace('entity:', 'selector: { query: \'.name == "checkout"\' }\n    entity:'),
    )
    const mistake = await run('plan', '--exit-code')
    expect(mistake).toMatchObject({ code: 4, stderr: '' })
    expect(mistake.stdout).toContain('- service:acme/')
    expect(mistake.stdout).toContain('The guard would hold')
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({
      sources: [{ mapping: { pending: ['mapping'] } }],
    })
    expect((await fetch(`${catchment.url}/`)).status).toBe(401)

    await write('mapping.yaml', titled('.name + "!"'))
    const seen = JSON.parse((await run('plan', '--json')).stdout) as {
      pending: boolean
      plans: { id: string; counts: Record<string, number> }[]
    }
    expect(seen.plans[0]?.counts).toMatchObject({
      changes: before.length,
      withdrawals: 0,
      creates: 0,
      feed: before.length,
    })
    expect((await run('plan', '--markdown')).stdout).toContain('| service | 0 |')
    expect(await titles()).toEqual(before)

    const applied = await run('apply', seen.plans[0]?.id ?? '')
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    expect(applied.stdout).toContain(`${before.length} updated`)
    expect((await titles()).every((title) => title.endsWith('!'))).toBe(true)
    expect((await run('plan', '--exit-code')).code).toBe(0)
    expect((await run('apply')).stdout).toContain('Nothing is pending')

    expect((await run('rollback', 'github')).stderr).toContain('--yes')
    const back = await run('rollback', 'github', '--yes')
    expect(back).toMatchObject({ code: 0, stderr: '' })
    expect((await titles()).sort()).toEqual(before.toSorted())
    expect((await run('status')).stdout).toMatch(/version \d+ differs from the file: mapping/)
    const versions = JSON.parse((await run('mapping', 'versions', '--json')).stdout) as {
      items: { version: number; active: boolean; activations: { how: string }[] }[]
    }
    expect(versions.items.map(({ active, activations }) => [active, activations[0]?.how])).toEqual([
      [false, 'apply'],
      [true, 'rollback'],
    ])
    const [newer, older] = versions.items.map(({ version }) => String(version))
    expect((await run('mapping', 'diff', older ?? '', newer ?? '')).stdout).toContain('+      title: .name + "!"')
    // Records are here: nothing was listed.
    const { counts } = await sandbox.control.requests()
    expect(counts.listings - counts.notModifiedListings).toBe(0)

    const tried = await write('other.yaml', titled('.name | |'))
    const refused = await run('plan', '--mapping', tried)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/other\.yaml:5:\d+: .*\n/)
    await write('other.yaml', titled('.name | ascii_upcase'))
    expect((await run('plan', '--mapping', tried)).stdout).toContain('title: ')
  } finally {
    await catchment.stop()
    await remove()
  }
}, 240_000)
