-- Objects that could not be read or kept, so that no record says so: by the partition that they were seen in. Those that a
-- scan which read all of it did not set aside again are dropped. Few of each partition are kept; its scans count them all.
CREATE TABLE set_aside (
  partition_id integer NOT NULL,
  digest bytea NOT NULL,                   -- of the key as it is; of the place of an item that has none
  key text COLLATE "C" NOT NULL,           -- as far as it can be shown
  locator jsonb NOT NULL,
  problem jsonb NOT NULL,
  tick bigint NOT NULL,                    -- when it was set aside last
  inbox_id bigint,                         -- the delivery that had it, if it was one
  since timestamptz NOT NULL,
  PRIMARY KEY (partition_id, digest)
);
CREATE INDEX set_aside_key ON set_aside (key);
