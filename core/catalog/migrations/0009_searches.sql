-- Search queries that relations and teams are said by, each once however many entities say it. Answered behind the change
-- feed: an entity that a query may find has one of its leaves, so what has to be answered again is found by an index.
CREATE TABLE searches (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,            -- of blueprint and query
  blueprint text COLLATE "C" NOT NULL,     -- of the entities that it finds
  query jsonb NOT NULL,
  leaves bigint[] NOT NULL,
  found bigint[] NOT NULL DEFAULT '{}',    -- entities, in the order of their names
  problem text,                            -- why it cannot be answered
  due boolean NOT NULL DEFAULT true        -- to be answered (again)
);
CREATE INDEX searches_leaves ON searches USING gin (leaves);
CREATE INDEX searches_found ON searches USING gin (found);
CREATE INDEX searches_due ON searches (id) WHERE due;
CREATE INDEX searches_blueprint ON searches (blueprint);

-- What a relation by search points at is what the search found; target, blueprint and identifier say nothing then.
-- Its position is 0 where the relation takes many and -1 where it takes one.
ALTER TABLE refs ADD COLUMN search bigint;
CREATE INDEX refs_search ON refs (search) WHERE search IS NOT NULL;

-- How far relations are settled: all changes up to this place have been looked at.
CREATE TABLE settling (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq bigint NOT NULL DEFAULT 0,
  rules text NOT NULL DEFAULT ''           -- digest of what the blueprints require
);
INSERT INTO settling DEFAULT VALUES;

-- Relations that point nowhere although they must not: `empty` nothing is said, `missing` a name that nothing goes by,
-- `none` and `many` are what a search found for one target, `refused` the search cannot be answered.
CREATE TABLE dangling (
  entity_id bigint NOT NULL,
  relation text COLLATE "C" NOT NULL,
  required boolean NOT NULL,
  problem text NOT NULL CHECK (problem IN ('empty', 'missing', 'none', 'many', 'refused')),
  PRIMARY KEY (entity_id, relation)
);

-- Which names an entity had: everything that leads to it by one of them.
CREATE INDEX aliases_entity ON aliases (entity_id);
