// The live parts of the first page. Everything else works without a script.

const list = document.querySelector('[data-feed]')
const live = document.querySelector('[data-live]')
const most = 100
const badges = { created: 'ok', updated: 'plain', renamed: 'warn', deleted: 'bad', restored: 'ok' }

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text) made.textContent = text
  return made
}

function causeText(cause) {
  switch (cause?.type) {
    case 'scan':
      return `scan of ${cause.partition}`
    case 'delivery':
      return cause.event
    case 'get':
      return 'asked the source'
    case 'remap':
      return 'mapping changed'
    case 'person':
      return `${cause.who}: ${cause.what}`
    default:
      return ''
  }
}

function fields(change) {
  const before = change.patch?.identifier?.[0]
  if (before) return `, formerly ${before}`
  if (change.operation !== 'updated' || !change.patch) return ''
  const names = Object.keys(change.patch).map((name) => name.replace(/^properties\./, ''))
  return `: ${names.slice(0, 4).join(', ')}${names.length > 4 ? ' …' : ''}`
}

function show(change) {
  const item = element('li', 'new')
  const link = element('a', '', change.reference)
  link.href = `/entities/${encodeURIComponent(change.blueprint)}/${encodeURIComponent(change.identifier)}`
  const middle = element('span', 'grow')
  middle.append(link, ' ', element('span', 'soft', causeText(change.cause) + fields(change)))
  const time = element('time', '', 'now')
  time.dateTime = change.at
  time.title = change.at
  item.append(element('span', `badge ${badges[change.operation] ?? 'plain'}`, change.operation), ' ', middle, ' ', time)
  list.prepend(item)
  while (list.children.length > most) list.lastElementChild.remove()
  document.querySelector('[data-empty]')?.remove()
}

function ago(iso) {
  const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000)
  if (seconds < 90) return `${Math.round(seconds)} s ago`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`
  return `${Math.round(seconds / 86400)} d ago`
}

// A scan of thousands would redraw the page for each line; what piles up is shown together.
let waiting = []
function flush() {
  for (const change of waiting.slice(-most)) show(change)
  waiting = []
}

function follow() {
  const events = new EventSource('/api/v1/changes')
  events.onopen = () => {
    live.textContent = 'live'
  }
  events.onmessage = (event) => {
    if (waiting.length === 0) setTimeout(flush, 100)
    waiting.push(JSON.parse(event.data))
    if (waiting.length > 2 * most) waiting = waiting.slice(-most)
  }
  events.onerror = () => {
    live.textContent = 'connecting …'
    // The server refused to go on from where we were, or the session is over: begin anew later.
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 5000)
  }
}

async function refresh(part) {
  if (!document.hidden) {
    const response = await fetch(part.dataset.refresh).catch(() => undefined)
    // Open folds and selections are worth more than a fresh number.
    if (response?.ok && document.getSelection()?.isCollapsed !== false) part.innerHTML = await response.text()
  }
  setTimeout(() => void refresh(part), part.querySelector('[data-running]') ? 1500 : 5000)
}

if (list && live) {
  follow()
  setInterval(() => {
    for (const time of document.querySelectorAll('time[datetime]')) {
      if (time.textContent === 'now' || time.textContent.endsWith('ago')) time.textContent = ago(time.dateTime)
    }
  }, 10000)
}
for (const part of document.querySelectorAll('[data-refresh]')) setTimeout(() => void refresh(part), 3000)

// A login link works once; it has no business in the history.
if (new URLSearchParams(location.search).has('token')) history.replaceState(null, '', '/')
