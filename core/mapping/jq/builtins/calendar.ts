/** A date in UTC, as C's `struct tm` has it, but with the full year. Months count from 0. */
export interface BrokenDown {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly weekday: number
  /** Day of the year from 0. */
  readonly yearday: number
}

export type Fields = Omit<BrokenDown, 'weekday' | 'yearday'>

/** Days since the epoch of a day in the proleptic Gregorian calendar; months and days out of range carry over. */
export function dayNumber(year: number, month: number, day: number): number {
  const y = year + Math.floor(month / 12)
  const m = ((month % 12) + 12) % 12
  const shifted = m < 2 ? y - 1 : y
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const monthFromMarch = (m + 10) % 12
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5)
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468 + day - 1
}

export function toSeconds(fields: Fields): number {
  const days = dayNumber(fields.year, fields.month, fields.day)
  return ((days * 24 + fields.hour) * 60 + fields.minute) * 60 + fields.second
}

/** Undefined beyond what a 32-bit year holds. */
export function fromSeconds(seconds: number): BrokenDown | undefined {
  const days = Math.floor(seconds / 86_400)
  const rest = seconds - days * 86_400
  const era = Math.floor((days + 719_468) / 146_097)
  const dayOfEra = days + 719_468 - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = (monthFromMarch + 2) % 12
  const year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)
  if (!Number.isFinite(seconds) || Math.abs(year) > 2 ** 31) return undefined
  return {
    year,
    month,
    day,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: weekdayOf(days),
    yearday: days - dayNumber(year, 0, 1),
  }
}

export function weekdayOf(days: number): number {
  return (((days + 4) % 7) + 7) % 7
}

/** Carry what is out of range, as timegm does, and find the day of week and year. */
export function normalize(fields: Fields): BrokenDown {
  return fromSeconds(toSeconds(fields)) ?? { ...fields, weekday: 0, yearday: 0 }
}

/** jq's array of a date: year, month, day, hour, minute, second, day of week, day of year. */
export function toValue(date: BrokenDown, fraction: number): number[] {
  const { year, month, day, hour, minute, second, weekday, yearday } = date
  return [year, month, day, hour, minute, second + fraction, weekday, yearday]
}

export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
export const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
