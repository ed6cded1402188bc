import { type BrokenDown, dayNames, dayNumber, monthNames, toSeconds } from './calendar.ts'

/** `%`, flags, width, a modifier that changes nothing in the C locale, and the letter. */
const directive = /%([-_0^#]*)(\d*)([EO]?)([A-Za-z%+])/g

/** Letters that stand for several directives, in the C locale. */
const composed: { readonly [letter: string]: string } = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
}

type Part = (date: BrokenDown) => string
/** How a number is padded: to this width, with this character, unless a flag says otherwise. */
type Numeric = readonly [width: number, pad: '0' | ' ', value: (date: BrokenDown) => number]

const texts: { readonly [letter: string]: Part } = {
  a: (date) => (dayNames[date.weekday] ?? '?').slice(0, 3),
  A: (date) => dayNames[date.weekday] ?? '?',
  b: (date) => (monthNames[date.month] ?? '?').slice(0, 3),
  B: (date) => monthNames[date.month] ?? '?',
  h: (date) => (monthNames[date.month] ?? '?').slice(0, 3),
  n: () => '\n',
  p: (date) => (date.hour < 12 ? 'AM' : 'PM'),
  P: (date) => (date.hour < 12 ? 'am' : 'pm'),
  t: () => '\t',
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
}

const numerics: { readonly [letter: string]: Numeric } = {
  C: [2, '0', (date) => Math.floor(date.year / 100)],
  d: [2, '0', (date) => date.day],
  e: [2, ' ', (date) => date.day],
  g: [2, '0', (date) => isoWeek(date).year % 100],
  G: [1, '0', (date) => isoWeek(date).year],
  H: [2, '0', (date) => date.hour],
  I: [2, '0', (date) => ((date.hour + 11) % 12) + 1],
  j: [3, '0', (date) => date.yearday + 1],
  k: [2, ' ', (date) => date.hour],
  l: [2, ' ', (date) => ((date.hour + 11) % 12) + 1],
  m: [2, '0', (date) => date.month + 1],
  M: [2, '0', (date) => date.minute],
  s: [1, '0', toSeconds],
  S: [2, '0', (date) => date.second],
  u: [1, '0', (date) => ((date.weekday + 6) % 7) + 1],
  U: [2, '0', (date) => Math.floor((date.yearday + 7 - date.weekday) / 7)],
  V: [2, '0', (date) => isoWeek(date).week],
  w: [1, '0', (date) => date.weekday],
  W: [2, '0', (date) => Math.floor((date.yearday + 7 - ((date.weekday + 6) % 7)) / 7)],
  y: [2, '0', (date) => ((date.year % 100) + 100) % 100],
  Y: [1, '0', (date) => date.year],
}

/** C's strftime in the C locale and UTC, with glibc's flags. Unknown directives stay as they are. */
export function strftime(format: string, date: BrokenDown): string {
  return format.replace(directive, (whole, flags: string, width: string, _modifier: string, letter: string) => {
    const long = composed[letter]
    const text = long === undefined ? texts[letter]?.(date) : strftime(long, date)
    if (text !== undefined) return dress(text, flags, width)
    const numeric = numerics[letter]
    return numeric === undefined ? whole : number(numeric, date, flags, width)
  })
}

function dress(text: string, flags: string, width: string): string {
  const cased = flags.includes('^') ? text.toUpperCase() : flags.includes('#') ? swapCase(text) : text
  return cased.padStart(Math.min(Number(width), 1000), flags.includes('0') ? '0' : ' ')
}

/** `#` turns AM into am, and names into capitals. */
function swapCase(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase()
}

function number(numeric: Numeric, date: BrokenDown, flags: string, width: string): string {
  const [least, usual, value] = numeric
  const amount = value(date)
  if (flags.includes('-')) return String(amount)
  const pad = flags.includes('_') ? ' ' : flags.includes('0') ? '0' : usual
  const digits = String(Math.abs(amount))
  const sign = amount < 0 ? '-' : ''
  const room = Math.min(Math.max(least, Number(width)), 1000) - sign.length
  return pad === '0' ? sign + digits.padStart(room, pad) : (sign + digits).padStart(room + sign.length, pad)
}

/** The week with the year's first Thursday is number 1. */
function isoWeek(date: BrokenDown): { year: number; week: number } {
  const today = dayNumber(date.year, date.month, date.day)
  const thursday = today - ((date.weekday + 6) % 7) + 3
  const year = [date.year + 1, date.year, date.year - 1].find((candidate) => thursday >= dayNumber(candidate, 0, 1))
  const first = dayNumber(year ?? date.year, 0, 1)
  return { year: year ?? date.year, week: Math.floor((thursday - first) / 7) + 1 }
}
