-- When which version of a source's mapping and blueprints became the active one, by whom and how.
CREATE TABLE activations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_id integer NOT NULL REFERENCES sources,
  mapping_id integer NOT NULL REFERENCES mappings,
  at timestamptz NOT NULL DEFAULT now(),
  who text NOT NULL,
  how text NOT NULL CHECK (how IN ('start', 'apply', 'rollback', 'engine')),
  plan_id bigint
);
CREATE INDEX activations_source ON activations (source_id, id);
INSERT INTO activations (source_id, mapping_id, at, who, how)
  SELECT source_id, id, activated_at, 'start', 'start' FROM mappings ORDER BY activated_at, id;

-- What another version would do to the catalog.
CREATE TABLE plans (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_id integer NOT NULL REFERENCES sources,
  base_id integer NOT NULL REFERENCES mappings,   -- the version that was active when it was made
  hash text NOT NULL,                             -- of the version that it is about
  content jsonb NOT NULL,
  how text NOT NULL CHECK (how IN ('apply', 'rollback')),
  state text NOT NULL CHECK (state IN ('making', 'planned', 'failed', 'checking', 'stale', 'applying', 'applied', 'superseded')),
  tick bigint,                                    -- what was confirmed after it is not in the plan
  writes bigint,                                  -- of all kinds together when it was made: while it is that, nothing has changed since
  summary jsonb,
  problem jsonb,                                  -- why it failed, or what is outside of it now
  made_at timestamptz NOT NULL DEFAULT now(),
  made_by text NOT NULL,
  applied_at timestamptz,
  applied_by text,
  ended_at timestamptz,
  mapping_id integer REFERENCES mappings,         -- the version that its apply activated
  first_batch bigint                              -- change batches up to this one are older than the apply
);
CREATE INDEX plans_source ON plans (source_id, id);
CREATE INDEX plans_applying ON plans (mapping_id) WHERE state = 'applying';

-- What a plan takes away: an apply takes nothing else.
CREATE TABLE plan_withdrawals (
  plan_id bigint NOT NULL REFERENCES plans ON DELETE CASCADE,
  record_id bigint NOT NULL,                      -- 0: no record stops saying it, the entity goes because another takes its name
  what text COLLATE "C" NOT NULL,                 -- as in held: 'contribution MAPPING/ITEM', or 'entity ID'
  blueprint text COLLATE "C" NOT NULL,
  identifier text COLLATE "C" NOT NULL,
  PRIMARY KEY (plan_id, record_id, what)
);
