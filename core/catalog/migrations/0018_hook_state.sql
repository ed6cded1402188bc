-- What is to be known of the webhooks in sources.hooks: whether Catchment looks after them now, where it may not make any and
-- why, and how a person removes one: { "managed": true, "refused": [{ "scope", "reason" }], "remove": { "acme": "..." } }.
ALTER TABLE sources ADD COLUMN hook_state jsonb NOT NULL DEFAULT '{}';
