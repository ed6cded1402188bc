-- A page of a listing that is exactly what it was at the last complete scan is known by its seal: a digest of its keys and
-- hashes in order, and of the mapping version that all its records were made with. `as_of`: the kind's `writes` when that
-- was last so; while it has not grown, nothing of the kind was written since. Pages without a seal are compared key by key.
ALTER TABLE scan_pages ADD COLUMN seal bytea, ADD COLUMN as_of bigint;
