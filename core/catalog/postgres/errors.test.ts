import pg from 'pg'
import { expect, test } from 'vitest'
import { CatchmentError } from '../../sdk/errors.ts'
import { asDamage, fileTrouble, fromServerExit, fromServerOutput, translate } from './errors.ts'

const log = (text: string) => `2026-01-02 03:04:05.678 UTC [42] ${text}\n`

test.each([
  ['initdb: error: could not write to file "/d/pg_wal/xlogtemp.7": No space left on device', 'disk_full'],
  [
    'FATAL:  could not extend file "base/1/1259": wrote only 4096 of 8192 bytes at block 3\n' +
      'HINT:  Check free disk space.\nPANIC:  cannot abort transaction 1, it was already committed',
    'disk_full',
  ],
  [
    log('PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device') +
      log('LOG:  aborting startup'),
    'disk_full',
  ],
  [
    log('LOG:  could not bind IPv4 address "127.0.0.1": Address already in use') +
      log('FATAL:  could not create any TCP/IP sockets'),
    'postgres_port_in_use',
  ],
  [log('FATAL:  lock file "postmaster.pid" already exists'), 'data_directory_locked'],
  [log('FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use'), 'data_directory_locked'],
  [log('PANIC:  could not locate a valid checkpoint record at 0/15A2B40'), 'data_directory_corrupt'],
  [log('FATAL:  incorrect checksum in control file'), 'data_directory_corrupt'],
  [log('FATAL:  could not open file "global/pg_filenode.map": No such file or directory'), 'data_directory_corrupt'],
  [log('FATAL:  required WAL directory "pg_wal" does not exist'), 'data_directory_corrupt'],
  [
    'postgres: could not access the server configuration file "/d/postgresql.conf": No such file or directory',
    'data_directory_corrupt',
  ],
  [log('FATAL:  data directory "/d" has wrong ownership'), 'data_directory_not_ours'],
  ['initdb: error: could not access directory "/d": Permission denied', 'data_directory_not_ours'],
  [
    'initdb: error while loading shared libraries: libicuuc.so.60: cannot open shared object file: No such file or directory',
    'postgres_binaries_broken',
  ],
  ['initdb: error: could not look up effective user ID 54321: user does not exist', 'postgres_start_failed'],
  [log('FATAL:  something new'), 'postgres_start_failed'],
  ['', 'postgres_start_failed'],
])('%j means %s', (output, code) => {
  const error = fromServerOutput(output)
  expect(error).toMatchObject({ code, hint: expect.any(String) })
  expect(error.message).not.toMatch(/undefined|UTC/)
})

test('the message holds the line that matters, without its prefix', () => {
  const output =
    log('LOG:  starting PostgreSQL') + log('FATAL:  something new') + log('LOG:  database system is shut down')
  expect(fromServerOutput(output).message).toBe('the embedded PostgreSQL did not start: something new')
  expect(fromServerExit(output, 'SIGKILL').message).toBe(
    'the embedded PostgreSQL ended by itself (SIGKILL): something new',
  )
})

test('errors of the file system around the data directory', () => {
  const error = (code: string) => Object.assign(new Error(`${code}: no`), { code })
  expect(fileTrouble('/d', error('ENOSPC'))).toMatchObject({ code: 'disk_full' })
  expect(fileTrouble('/d', error('EACCES'))).toMatchObject({ code: 'data_directory_not_ours', exitCode: 2 })
  const other = error('EMFILE')
  expect(fileTrouble('/d', other)).toBe(other)
  const ours = new CatchmentError('x', { code: 'EACCES' })
  expect(fileTrouble('/d', ours)).toBe(ours)
})

test('what a statement says of broken files is damage of the embedded server', () => {
  const state = (code: string) => Object.assign(new pg.DatabaseError('invalid page in block 0', 22, 'error'), { code })
  expect(asDamage(state('XX001'))).toMatchObject({ code: 'data_directory_corrupt', hint: expect.any(String) })
  expect(asDamage(translate(state('3D000')))).toMatchObject({ code: 'data_directory_corrupt' })
  const other = state('42601')
  expect(asDamage(other)).toBe(other)
})

test('only errors of the connection change their kind', () => {
  expect(
    translate(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })),
  ).toMatchObject({ code: 'database_unreachable' })
  expect(translate(new Error('Connection terminated unexpectedly'))).toMatchObject({ code: 'database_unreachable' })
  const mine = new TypeError('a bug')
  expect(translate(mine)).toBe(mine)
  expect(translate('text')).toBe('text')
})
