import { isObject, type Json } from '../core/model/json.ts'

/** What made a change happen, in a few words. */
export function causeText(cause: Json): string {
  if (!isObject(cause)) return ''
  const said = (name: string): string => {
    const value = cause[name]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  switch (said('type')) {
    case 'scan':
      return `scan ${said('scan')} of ${said('partition')}`
    case 'delivery':
      return `delivery ${said('event')}`
    case 'get':
      return `asked the source${said('reason') === '' ? '' : `: ${said('reason')}`}`
    case 'remap':
      return `mapping version ${said('mapping')}`
    case 'action':
      return `action ${said('action')}`
    case 'person':
      return `${said('who')}: ${said('what')}`
    default:
      return ''
  }
}
