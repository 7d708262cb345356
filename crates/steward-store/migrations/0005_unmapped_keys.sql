-- The attributes that no rule used, each between two lines, so that the runs with one are found. Runs that were read
-- before have them after a rebuild.
ALTER TABLE runs ADD COLUMN unmapped TEXT NOT NULL DEFAULT '';
