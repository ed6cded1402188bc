-- What was only played with goes when a source of one's own is configured; nothing else may be taken for it.
ALTER TABLE sources ADD COLUMN sandbox boolean NOT NULL DEFAULT false;
