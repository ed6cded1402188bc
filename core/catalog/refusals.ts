/** A record or presence moved between the decision and its commit: decide again. */
export class StaleDecision extends Error {}
/** The lease went to somebody else: stop; nothing was written. */
export class FenceLost extends Error {}
/** Another mapping version is active now: map again. */
export class MappingMoved extends Error {}
/** The database cannot hold what the batch contains (a name beyond what an index takes): trying again does not help. */
export class Unstorable extends Error {}
