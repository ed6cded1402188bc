-- "What became of this name?" must not read every record: most of those without an entity are known by their locator alone.
CREATE INDEX records_locator ON records USING gin (locator jsonb_path_ops);
