-- Webhooks that Catchment made at the source, by the scope they lie in: { "acme": "12" }. Only what is named here, or leads
-- to our own address, is ever changed or removed.
ALTER TABLE sources ADD COLUMN hooks jsonb NOT NULL DEFAULT '{}';
