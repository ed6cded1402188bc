-- What a partition hangs on: the record with this key, of this kind of the same source.
ALTER TABLE partitions ADD COLUMN parent_kind text COLLATE "C";
ALTER TABLE partitions ADD COLUMN parent_key text COLLATE "C";

-- Dropped: the source no longer names it, and it holds nothing. It is kept for the tombstones and scans that refer to it.
ALTER TABLE partitions DROP CONSTRAINT partitions_state_check;
ALTER TABLE partitions ADD CONSTRAINT partitions_state_check CHECK (state IN ('unseen', 'known', 'unknown', 'dropped'));
