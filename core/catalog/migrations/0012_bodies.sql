-- A record's body is beside it. What a commit, a comparison and a remap touch is a tenth of the body's size, and a record
-- that is mapped again is written without its body. No row: only the hash is kept.
CREATE TABLE bodies (
  record_id bigint PRIMARY KEY,
  body bytea NOT NULL                      -- canonical JSON behind one byte that names the encoding
);
INSERT INTO bodies SELECT id, body FROM records WHERE octet_length(body) > 1;
ALTER TABLE records DROP COLUMN body;
-- Room for the next version of each row in its own page: then no index is written for it.
ALTER TABLE records SET (fillfactor = 50);
