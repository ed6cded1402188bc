-- What of the kind's objects is kept: named fields dropped, or hashes only, as core/sync/keep-less.ts writes it. Null: all.
ALTER TABLE kinds ADD COLUMN keeping text;
