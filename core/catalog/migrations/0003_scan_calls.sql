-- What a scan cost: calls of its listing, and how many of them the source counts against its rate limit.
ALTER TABLE scans ADD COLUMN calls integer NOT NULL DEFAULT 0, ADD COLUMN quota integer NOT NULL DEFAULT 0;
