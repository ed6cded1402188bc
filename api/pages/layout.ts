import { type Html, html } from './html.ts'

export interface Frame {
  readonly title: string
  /** What stands in the search box. */
  readonly q?: string
  /** Number of holds that wait, shown beside the link. */
  readonly held?: number
}

/** The whole document. Style and script come from this server, so that the policy can forbid everything else. */
export function layout(frame: Frame, body: Html): string {
  const held = frame.held ?? 0
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${frame.title} · Catchment</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
<link rel="stylesheet" href="/assets/parts.css">
<link rel="stylesheet" href="/assets/narrow.css">
<script src="/assets/feed.js" defer></script>
</head>
<body>
<header>
  <a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="22" height="22"> Catchment</a>
  <form class="search" action="/entities" role="search">
    <input type="search" name="q" value="${frame.q ?? ''}" placeholder="Search: words, team:payments, -has:codeowners" aria-label="Search entities">
    <button>Search</button>
  </form>
  <nav>
    <a href="/entities">Entities</a>
    <a href="/held">Held${held > 0 && html` <span class="badge warn">${held}</span>`}</a>
    <a href="/docs">API</a>
  </nav>
</header>
<main>
${body}
</main>
</body>
</html>
`.toString()
}
