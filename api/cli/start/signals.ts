/** npm and the hand-over to another Node pass on what a terminal has sent to all of them: so close, it is one wish. */
const sameWish = 400

/**
 * Aborts `stop` on SIGINT, SIGTERM, SIGHUP (the terminal was closed), after saying so once with `onAsked`, and when nobody
 * reads our output any more. Who asks twice does not want to wait: the process ends at once, and the next start recovers.
 * Answers how to stop listening.
 */
export function onWishToEnd(stop: AbortController, onAsked: () => void): () => void {
  let asked: number | undefined
  const onSignal = (): void => {
    const now = performance.now()
    if (asked !== undefined && now - asked > sameWish) process.exit(130)
    if (asked === undefined) onAsked()
    asked ??= now
    stop.abort()
  }
  const onOutputError = (error: Error): void => {
    if ('code' in error && (error.code === 'EPIPE' || error.code === 'EIO')) stop.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const outputs = [process.stdout, process.stderr]
  for (const signal of signals) process.on(signal, onSignal)
  for (const output of outputs) output.on('error', onOutputError)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
    for (const output of outputs) output.off('error', onOutputError)
  }
}
