-- What went wrong in runs that have ended and are no tests, one row each, written with the run.
-- text_key is of all that decides the pattern; shape and pattern_id are NULL until it is mined.
CREATE TABLE exceptions (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    run_id {uuid} NOT NULL,
    run_key TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    span_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    tool TEXT NOT NULL,
    model TEXT NOT NULL,
    class TEXT NOT NULL,
    code TEXT NOT NULL,
    release TEXT NOT NULL,
    message TEXT NOT NULL,
    text_key TEXT NOT NULL,
    wasted_nanos BIGINT NOT NULL,
    shape TEXT,
    pattern_id {uuid},
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX exceptions_run ON exceptions (agency_id, run_id);
CREATE INDEX exceptions_ended ON exceptions (agency_id, ended_at, id);
CREATE INDEX exceptions_workflow ON exceptions (agency_id, workflow_id, ended_at, id);
CREATE INDEX exceptions_pattern ON exceptions (agency_id, pattern_id, ended_at, id);
CREATE INDEX exceptions_release ON exceptions (agency_id, release, pattern_id);
CREATE INDEX exceptions_unmined ON exceptions (agency_id, workflow_id) WHERE pattern_id IS NULL;

-- Exceptions that are the same problem. key is that of the head and of the group; merged_into is the pattern that
-- shows what belongs to this one, and merged_by who said so, empty where the mining found that the two are one.
CREATE TABLE patterns (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    key TEXT NOT NULL,
    head TEXT NOT NULL,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    agent TEXT NOT NULL,
    tool TEXT NOT NULL,
    class TEXT NOT NULL,
    code TEXT NOT NULL,
    template TEXT NOT NULL,
    because TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    n BIGINT NOT NULL,
    n_runs BIGINT NOT NULL,
    wasted_nanos BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    resolved_at BIGINT,
    resolved_in TEXT NOT NULL,
    regressed_at BIGINT,
    changed_at BIGINT,
    changed_by TEXT NOT NULL,
    merged_into {uuid},
    merged_by TEXT NOT NULL,
    split_from {uuid},
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX patterns_workflow ON patterns (agency_id, workflow_id, key);
CREATE INDEX patterns_state ON patterns (agency_id, state, last_seen, id);
CREATE INDEX patterns_last_seen ON patterns (agency_id, last_seen, id);
CREATE INDEX patterns_n ON patterns (agency_id, n, id);

-- How often a pattern was seen by day of the run's end, UTC, counted since the epoch.
CREATE TABLE pattern_days (
    agency_id {uuid} NOT NULL,
    pattern_id {uuid} NOT NULL,
    day INTEGER NOT NULL,
    n BIGINT NOT NULL,
    n_runs BIGINT NOT NULL,
    wasted_nanos BIGINT NOT NULL,
    PRIMARY KEY (agency_id, pattern_id, day)
) {clustered};
CREATE INDEX pattern_days_day ON pattern_days (agency_id, day, pattern_id, n, n_runs, wasted_nanos);

-- Which pattern each shape of message belongs to, by mining or by a person's word, which mining respects.
CREATE TABLE pattern_shapes (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    head TEXT NOT NULL,
    shape TEXT NOT NULL,
    pattern_id {uuid} NOT NULL,
    by_hand BOOLEAN NOT NULL,
    PRIMARY KEY (agency_id, workflow_id, head, shape)
) {clustered};
CREATE INDEX pattern_shapes_pattern ON pattern_shapes (agency_id, pattern_id);

-- What the miner remembers of the messages under each head.
CREATE TABLE pattern_miners (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    head TEXT NOT NULL,
    state {blob} NOT NULL,
    PRIMARY KEY (agency_id, workflow_id, head)
);

-- Whoever changes the patterns of a workflow counts its version up, so that of two at once one begins again.
CREATE TABLE pattern_versions (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (agency_id, workflow_id)
);

-- Days of patterns that are to be counted again, because a run in them was revised.
CREATE TABLE pattern_recounts (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    pattern_id {uuid} NOT NULL,
    day INTEGER NOT NULL,
    run_id {uuid} NOT NULL,
    PRIMARY KEY (agency_id, workflow_id, pattern_id, day, run_id)
);

-- What people prepare to cure a pattern: requests, scenarios and rules that are not made yet.
CREATE TABLE pattern_drafts (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    pattern_id {uuid} NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX pattern_drafts_pattern ON pattern_drafts (agency_id, pattern_id, created_at);
