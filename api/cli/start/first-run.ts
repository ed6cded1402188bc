/** What stands on the terminal once there is something to see: at most 12 lines, the last three are commands that work as printed. */
export function firstRun(facts: {
  readonly url: string
  readonly token: string
  readonly seconds: number
  readonly sandbox: boolean
}): readonly string[] {
  return [
    '',
    `The catalog is ready, ${facts.seconds.toFixed(1)} s after start.`,
    `  First page:  ${facts.url}/?token=${facts.token}`,
    `  API:         ${facts.url}/docs`,
    ...(facts.sandbox ? ['  The organisation lives: every 20 s somebody changes something, and you see it here.'] : []),
    '',
    'In another terminal:',
    '  npm run -s catchment -- status',
    '  npm run -s catchment -- search checkout',
    `  npm run -s catchment -- explain ${facts.sandbox ? 'service:acme/checkout' : 'service:OWNER/REPOSITORY'}`,
  ]
}
