/** What stands on the terminal once there is something to see: at most 12 lines, the last three are commands that work as printed. */
export function firstRun(facts: {
  readonly url: string
  readonly token: string
  readonly seconds: number
  /** `life`: seconds between two changes in it; 0: none. */
  readonly sandbox?: { readonly life: number }
}): readonly string[] {
  const { sandbox } = facts
  return [
    '',
    `The catalog is ready, ${facts.seconds.toFixed(1)} s after start.`,
    `  First page:  ${facts.url}/?token=${facts.token}`,
    `  API:         ${facts.url}/docs`,
    ...(sandbox === undefined || sandbox.life === 0
      ? []
      : [`  The organisation lives: every ${sandbox.life} s somebody changes something, and you see it here.`]),
    '',
    'In another terminal:',
    '  npm run -s catchment -- status',
    '  npm run -s catchment -- search checkout',
    `  npm run -s catchment -- explain ${sandbox !== undefined ? 'service:acme/checkout' : 'service:OWNER/REPOSITORY'}`,
  ]
}
