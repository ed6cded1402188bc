-- Names that a record's relations lead to, of mappings with createMissingRelatedEntities: while one of them is here and
-- nothing owns the name, a stub goes by it.
CREATE TABLE wanted (
  record_id bigint NOT NULL,
  target bigint NOT NULL,                  -- as in refs
  blueprint text COLLATE "C" NOT NULL,
  identifier text COLLATE "C" NOT NULL,
  PRIMARY KEY (record_id, target)
);
CREATE INDEX wanted_target ON wanted (target);

-- An entity that nothing owns has no anchor. `stub` is true of those that readers do not see, because no relation wants
-- them either.
CREATE INDEX entities_stubs ON entities (blueprint, identifier) WHERE anchor IS NULL AND NOT stub AND deleted IS NULL;
