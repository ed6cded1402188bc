-- When a batch counts as having happened: its own time, or that of the batch in front of it if its clock was behind.
-- Given with the place in the feed, so that times and places never contradict each other.
ALTER TABLE change_batches ADD COLUMN moment timestamptz;
UPDATE change_batches b SET moment = m.moment
FROM (SELECT id, max(at) OVER (ORDER BY base) AS moment FROM change_batches WHERE base IS NOT NULL) m WHERE b.id = m.id;
CREATE INDEX change_batches_moment ON change_batches (moment, base) WHERE base IS NOT NULL;

ALTER TABLE feed
  ADD COLUMN moment timestamptz,           -- of the last batch that has its place
  ADD COLUMN expired timestamptz,          -- of the last batch that history no longer keeps
  ADD COLUMN origin text;                  -- where this database lived when its epoch began; a restore lives elsewhere
UPDATE feed SET moment = (SELECT max(moment) FROM change_batches);

-- Who went by a name, before it was called otherwise.
CREATE INDEX changes_renamed ON changes (blueprint, (patch #>> '{identifier,0}')) WHERE operation = 'renamed';
-- Revisions grow with the rows, so their place in the table says enough.
CREATE INDEX changes_revision ON changes USING brin (revision);

-- The rename that made the alias; null: before there was this column.
ALTER TABLE aliases ADD COLUMN revision bigint;
-- Aliases that ended when another entity took the name, for questions about earlier times.
CREATE TABLE former_aliases (
  blueprint text COLLATE "C" NOT NULL,
  identifier text COLLATE "C" NOT NULL,
  entity_id bigint NOT NULL,
  revision bigint,
  taken_by bigint NOT NULL,
  taken_revision bigint NOT NULL
);
CREATE INDEX former_aliases_name ON former_aliases (blueprint, identifier);

-- The last version of each entity that retention has dropped: without a body, which is what walking back from now gives.
CREATE TABLE keyframes (
  entity_id bigint PRIMARY KEY,
  seq bigint NOT NULL,
  revision bigint NOT NULL,
  operation text NOT NULL,
  cause jsonb NOT NULL,
  at timestamptz NOT NULL
);

-- What a person keeps in the catalog although its source does not show it. `what` as in `held`.
CREATE TABLE pins (
  record_id bigint NOT NULL,
  what text NOT NULL,
  entity_id bigint NOT NULL,               -- the one whose deletion was undone
  who text NOT NULL,
  reason text,
  at timestamptz NOT NULL,
  PRIMARY KEY (record_id, what)
);
CREATE INDEX pins_entity ON pins (entity_id);
