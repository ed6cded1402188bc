import type { Api, Context } from '../context.ts'

export function pageRoutes(_app: Api, _context: Context): void {}
