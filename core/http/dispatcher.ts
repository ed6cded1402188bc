import { getCACertificates } from 'node:tls'
import { type Dispatcher, EnvHttpProxyAgent } from 'undici'

export interface Route {
  /** HTTPS_PROXY: reached with CONNECT; for https addresses only. */
  readonly proxy?: string
  /** NO_PROXY: hosts, suffixes or `host:port`, separated by commas. */
  readonly noProxy?: string
  /** PEM of certificate authorities trusted beside the ones that Node brings. */
  readonly ca?: string
  readonly connections: number
  readonly connectMs: number
}

/** Despite its name the agent reads the process environment only for options that are not given, so all of them are. */
export function createDispatcher(route: Route): Dispatcher {
  const tls = route.ca === undefined ? {} : { ca: [...getCACertificates('default'), route.ca] }
  return new EnvHttpProxyAgent({
    httpProxy: '',
    httpsProxy: route.proxy ?? '',
    noProxy: route.noProxy ?? '',
    connections: route.connections,
    connect: { ...tls, timeout: route.connectMs },
    requestTls: tls,
    proxyTls: tls,
  })
}
