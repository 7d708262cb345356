-- What was claimed of a run of which a person said what came of it.
ALTER TABLE runs ADD COLUMN claimed TEXT;

-- Which completed runs of a workflow go to review. since: only runs that ended then or later. decided_until: days since
-- the epoch, UTC, before which all are drawn. looked_at: when runs that came late were last looked for.
CREATE TABLE sampling_rules (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    share {double} NOT NULL,
    strata TEXT NOT NULL,
    at_least INTEGER NOT NULL,
    at_most INTEGER NOT NULL,
    since BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    decided_until INTEGER NOT NULL,
    looked_at BIGINT NOT NULL,
    PRIMARY KEY (agency_id, workflow_id)
);

-- The strata of each day that was drawn: how many runs, how many of them were taken, with which probability each, and
-- the number up to which runs were taken.
CREATE TABLE sampling_days (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    day INTEGER NOT NULL,
    stratum TEXT NOT NULL,
    n_runs BIGINT NOT NULL,
    n_taken INTEGER NOT NULL,
    probability {double} NOT NULL,
    threshold {double} NOT NULL,
    PRIMARY KEY (agency_id, workflow_id, day, stratum)
);

-- Runs that were taken. The id is that of the queue's item. run_id is NULL once the run's data is gone; completed is
-- what the review says, NULL while there is none; is_gone: its run was read again and is no longer claimed completed.
CREATE TABLE samples (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    run_id {uuid},
    ended_at BIGINT NOT NULL,
    stratum TEXT NOT NULL,
    probability {double} NOT NULL,
    taken_at BIGINT NOT NULL,
    completed BOOLEAN,
    is_gone BOOLEAN NOT NULL,
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX samples_ended ON samples (agency_id, workflow_id, ended_at, is_gone, probability, completed);
CREATE INDEX samples_run ON samples (agency_id, run_id) WHERE run_id IS NOT NULL;
