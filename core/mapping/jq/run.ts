/** What the evaluation under way may know of the world. Like the meter there is one, since evaluation does not nest. */
export const run: { now: number | undefined } = { now: undefined }
