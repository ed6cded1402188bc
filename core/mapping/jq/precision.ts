/**
 * Numbers that JSON.parse could not read exactly. A double above 2^53 may be the rounded form of another integer, an id
 * say; whether it matters shows only when an expression prints or compares it. Then the evaluation is given up and run
 * again over the text, parsed exactly: scanning every text for long integers would cost a third of parsing.
 */
export class NeedsText {}

/** Whether the evaluation under way can be run again over its text. */
export const precision = { recoverable: false }

/** Call before the digits of a number from the input decide something. */
export function readsNumber(value: number): void {
  if (precision.recoverable && (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)) {
    if (Number.isFinite(value)) throw new NeedsText()
  }
}
