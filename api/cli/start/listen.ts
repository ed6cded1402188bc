import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { CatchmentError } from '../../../core/sdk/index.ts'

/** Answers the address people can use: `http://127.0.0.1:7100`. */
export async function listen(
  server: FastifyInstance,
  where: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    await server.listen({ host: where.host, port: where.port })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')
      throw new CatchmentError(`Port ${where.port} on ${where.host} is in use.`, {
        code: 'port_in_use',
        hint: 'Stop what listens there, or choose another port: CATCHMENT_PORT=7101 npm start',
        cause,
      })
    if (cause instanceof Error && 'code' in cause && (cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND'))
      throw new CatchmentError(`This machine has no address ${where.host} to listen on.`, {
        code: 'host_unavailable',
        hint: 'Set CATCHMENT_HOST or server.host to 127.0.0.1, or to 0.0.0.0 for every address.',
        exitCode: 2,
        cause,
      })
    if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES')
      throw new CatchmentError(`This user may not listen on port ${where.port}.`, {
        code: 'port_forbidden',
        hint: 'Ports below 1024 are for root: choose another one with CATCHMENT_PORT, or put a proxy in front.',
        exitCode: 2,
        cause,
      })
    throw cause
  }
  // A listening TCP server always has an address object.
  const { port } = server.server.address() as AddressInfo
  const host = where.host === '0.0.0.0' || where.host === '::' ? '127.0.0.1' : where.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
