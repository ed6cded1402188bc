import { type BrokenDown, dayNames, dayNumber, fromSeconds, monthNames, normalize } from './calendar.ts'

/** What has been read so far. Absent fields are found from the others at the end, or are 0 as in C. */
interface Found {
  century?: number
  year?: number
  month?: number
  day?: number
  hour?: number
  minute?: number
  second?: number
  weekday?: number
  yearday?: number
  afternoon?: boolean
}

type Field = Exclude<keyof Found, 'afternoon'>

/** Most digits a number may have, its range, and what it is. */
const numerics: { readonly [letter: string]: readonly [digits: number, least: number, most: number, field: Field] } = {
  C: [2, 0, 99, 'century'],
  d: [2, 1, 31, 'day'],
  e: [2, 1, 31, 'day'],
  H: [2, 0, 23, 'hour'],
  k: [2, 0, 23, 'hour'],
  I: [2, 1, 12, 'hour'],
  l: [2, 1, 12, 'hour'],
  j: [3, 1, 366, 'yearday'],
  m: [2, 1, 12, 'month'],
  M: [2, 0, 59, 'minute'],
  S: [2, 0, 61, 'second'],
  u: [1, 1, 7, 'weekday'],
  w: [1, 0, 6, 'weekday'],
  y: [2, 0, 99, 'year'],
  Y: [4, 0, 9999, 'year'],
}

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

/** C's strptime. Undefined if the text does not match; `rest` begins with a blank if it is not empty. */
export function strptime(text: string, format: string): { parts: BrokenDown; rest: string } | undefined {
  const reader = new Reader(text)
  if (!reader.follow(format)) return undefined
  const rest = text.slice(reader.position)
  if (rest !== '' && !/^[ \t\n\v\f\r]/.test(rest)) return undefined
  return { parts: reader.date(), rest }
}

class Reader {
  readonly text: string
  readonly found: Found = {}
  position = 0
  pm: boolean | undefined
  twelve = false

  constructor(text: string) {
    this.text = text
  }

  follow(format: string): boolean {
    for (let at = 0; at < format.length; at++) {
      const character = format[at] ?? ''
      if (/\s/.test(character)) this.blanks()
      else if (character !== '%') {
        if (this.text[this.position] !== character) return false
        this.position++
      } else {
        at++
        while (/[-_0^#EO]/.test(format[at] ?? '')) at++
        if (!this.directive(format[at] ?? '')) return false
      }
    }
    return true
  }

  directive(letter: string): boolean {
    const long = composed[letter]
    if (long !== undefined) return this.follow(long)
    const numeric = numerics[letter]
    if (numeric !== undefined) return this.number(letter, numeric)
    switch (letter) {
      case '%':
        return this.match(/%/y) !== null
      case 'a':
      case 'A':
        return this.name(dayNames, 'weekday')
      case 'b':
      case 'B':
      case 'h':
        return this.name(monthNames, 'month')
      case 'n':
      case 't':
        this.blanks()
        return true
      case 'p':
      case 'P': {
        const half = this.match(/[AP]M/iy)
        this.pm = half?.toLowerCase() === 'pm'
        return half !== null
      }
      case 's':
        return this.seconds()
      case 'g':
      case 'U':
      case 'V':
      case 'W':
        this.blanks()
        return this.match(/\d{1,2}/y) !== null
      case 'G':
        this.blanks()
        return this.match(/\d{1,4}/y) !== null
      case 'z':
        this.blanks()
        return this.match(/Z|[+-]\d{2}(?::?\d{2})?/y) !== null
      case 'Z':
        this.blanks()
        this.match(/\S*/y)
        return true
      default:
        return false
    }
  }

  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.text)
    if (match === null) return null
    this.position = pattern.lastIndex
    return match[0]
  }

  blanks(): void {
    this.match(/[ \t\n\v\f\r]*/y)
  }

  number(letter: string, [digits, least, most, field]: (typeof numerics)[string] & object): boolean {
    this.match(/ */y)
    let value = 0
    let read = 0
    while (read < digits) {
      const digit = this.text.charCodeAt(this.position) - 48
      if (!(digit >= 0 && digit <= 9) || (read > 0 && value * 10 > most)) break
      value = value * 10 + digit
      this.position++
      read++
    }
    if (read === 0 || value < least || value > most) return false
    if (letter === 'I' || letter === 'l') {
      this.twelve = true
      value %= 12
    } else if (letter === 'H' || letter === 'k') this.twelve = false
    else if (letter === 'u') value %= 7
    else if (letter === 'm' || letter === 'j') value--
    else if (letter === 'y') value += value >= 69 ? 1900 : 2000
    this.found[field] = value
    return true
  }

  name(names: readonly string[], field: 'weekday' | 'month'): boolean {
    const rest = this.text.slice(this.position).toLowerCase()
    const at = names.findIndex((name) => rest.startsWith(name.slice(0, 3).toLowerCase()))
    const name = names[at]
    if (name === undefined) return false
    this.position += rest.startsWith(name.toLowerCase()) ? name.length : 3
    this.found[field] = at
    return true
  }

  seconds(): boolean {
    const digits = this.match(/\d+/y)
    const date = digits === null ? undefined : fromSeconds(Number(digits))
    if (date === undefined) return false
    Object.assign(this.found, date)
    return true
  }

  /** What was not read is that of 1970-01-01; days out of range carry over, and the day of week follows from the date. */
  date(): BrokenDown {
    const { found } = this
    let year = found.year ?? 1970
    if (found.century !== undefined) year = found.century * 100 + (found.year === undefined ? 0 : year % 100)
    let month = found.month ?? 0
    let day = found.day ?? 1
    if (found.yearday !== undefined && (found.month === undefined || found.day === undefined)) {
      const start = dayNumber(year, 0, 1)
      const date = fromSeconds((start + found.yearday) * 86_400)
      month = found.month ?? date?.month ?? 0
      day = found.day ?? date?.day ?? 1
    }
    const hour = (found.hour ?? 0) + (this.twelve && this.pm === true ? 12 : 0)
    return normalize({ year, month, day, hour, minute: found.minute ?? 0, second: found.second ?? 0 })
  }
}
