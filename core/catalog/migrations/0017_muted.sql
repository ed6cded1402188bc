-- Contributions that own nothing for now, because what their entity depends on (a required relation, of mappings with
-- deleteDependentEntities) was deleted. They are kept as weak ones, and own again when that is there again.
CREATE TABLE muted (
  record_id bigint NOT NULL,
  mapping text COLLATE "C" NOT NULL,
  item text COLLATE "C" NOT NULL,
  entity_id bigint NOT NULL,               -- that it owned
  relation text COLLATE "C" NOT NULL,
  blueprint text COLLATE "C" NOT NULL,     -- what the relation leads to
  identifier text COLLATE "C" NOT NULL,
  PRIMARY KEY (record_id, mapping, item)
);
CREATE INDEX muted_entity ON muted (entity_id);
