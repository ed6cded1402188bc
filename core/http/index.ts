export { type BudgetState, Budgets } from './budget.ts'
export { createHttp, type Http, type HttpOptions } from './http.ts'
export type { HttpLimits } from './limits.ts'
