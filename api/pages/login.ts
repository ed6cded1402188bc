import { type Html, html } from './html.ts'

export function loginPage(message: string): Html {
  return html`<section class="card narrow"><h1>Log in</h1>
<p>${message} Every start prints an address that opens a session, once. Or give the admin key; it is in
<code>.catchment/admin-key</code> on the machine that runs Catchment.</p>
<form method="post" action="/login"><p><input type="password" name="key" aria-label="Admin key" placeholder="Admin key" autocomplete="current-password" required autofocus></p>
<p><button class="strong">Log in</button></p></form></section>`
}

export function problemPage(problem: {
  readonly title: string
  readonly detail: string
  readonly hint?: string | undefined
  readonly requestId: string
}): Html {
  return html`<section class="card narrow"><h1>${problem.title}</h1><p>${problem.detail}</p>
${problem.hint !== undefined && html`<p>${problem.hint}</p>`}
<p class="soft">Request ${problem.requestId}. <a href="/">To the first page</a></p></section>`
}
