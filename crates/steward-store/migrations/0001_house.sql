CREATE TABLE agencies (
    id {uuid} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE people (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX people_email ON people (email);

CREATE TABLE person_clients (
    agency_id {uuid} NOT NULL,
    person_id {uuid} NOT NULL,
    client_id {uuid} NOT NULL,
    PRIMARY KEY (agency_id, person_id, client_id)
);

CREATE TABLE sessions (
    token_hash {blob} NOT NULL PRIMARY KEY,
    agency_id {uuid} NOT NULL,
    person_id {uuid} NOT NULL,
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_person ON sessions (agency_id, person_id);

CREATE TABLE sign_in_links (
    token_hash {blob} NOT NULL PRIMARY KEY,
    agency_id {uuid} NOT NULL,
    person_id {uuid} NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE sign_in_failures (
    bucket TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_bucket ON sign_in_failures (bucket, at);

CREATE TABLE api_keys (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    workflow_id {uuid},
    name TEXT NOT NULL,
    beginning TEXT NOT NULL,
    key_hash {blob} NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash);

CREATE TABLE clients (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX clients_name ON clients (agency_id, name);

CREATE TABLE workflows (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    client_id {uuid},
    name TEXT NOT NULL,
    source_name TEXT NOT NULL,
    settings TEXT NOT NULL,
    settings_version INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX workflows_source ON workflows (agency_id, source_name);

CREATE TABLE prices (
    agency_id {uuid} NOT NULL PRIMARY KEY,
    entries TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Raw payloads as they came. state: 0 waiting, 1 assembled, 2 unreadable.
CREATE TABLE inbox (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    received_at BIGINT NOT NULL,
    workflow_id {uuid},
    kind TEXT NOT NULL,
    body {blob} NOT NULL,
    n_bytes BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    node {uuid},
    lease_until BIGINT,
    error TEXT,
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX inbox_waiting ON inbox (state, lease_until) WHERE state = 0;
CREATE INDEX inbox_age ON inbox (agency_id, received_at);

-- One slim row a run. Lists read only this.
CREATE TABLE runs (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    run_key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    finished BOOLEAN NOT NULL,
    due_at BIGINT,
    final_at BIGINT,
    outcome TEXT NOT NULL,
    evidence TEXT NOT NULL,
    cycle_ms BIGINT NOT NULL,
    waiting_ms BIGINT NOT NULL,
    cost_nanos BIGINT,
    known_cost_nanos BIGINT NOT NULL,
    cost_source TEXT NOT NULL,
    tokens_in BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    n_steps INTEGER NOT NULL,
    n_model_calls INTEGER NOT NULL,
    n_tool_calls INTEGER NOT NULL,
    n_exceptions INTEGER NOT NULL,
    n_late_steps INTEGER NOT NULL,
    n_unmapped INTEGER NOT NULL,
    in_hours BOOLEAN NOT NULL,
    test BOOLEAN NOT NULL,
    release TEXT NOT NULL,
    title TEXT NOT NULL,
    user_id TEXT NOT NULL,
    first_error TEXT NOT NULL,
    models TEXT NOT NULL,
    tools TEXT NOT NULL,
    results TEXT NOT NULL,
    errors TEXT NOT NULL,
    settings_version INTEGER NOT NULL,
    first_received_at BIGINT NOT NULL,
    last_received_at BIGINT NOT NULL,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX runs_key ON runs (agency_id, run_key);
CREATE INDEX runs_workflow ON runs (agency_id, workflow_id, ended_at, id);
CREATE INDEX runs_ended ON runs (agency_id, ended_at, id);
CREATE INDEX runs_due ON runs (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE run_blobs (
    agency_id {uuid} NOT NULL,
    run_id {uuid} NOT NULL,
    facts {blob} NOT NULL,
    steps {blob},
    PRIMARY KEY (agency_id, run_id)
);

-- Which run of a conversation a trace belongs to.
CREATE TABLE run_traces (
    agency_id {uuid} NOT NULL,
    trace_key TEXT NOT NULL,
    run_key TEXT NOT NULL,
    PRIMARY KEY (agency_id, trace_key)
);

-- What people said of runs; by the run's key, so that it outlives a rebuild.
CREATE TABLE verdicts (
    agency_id {uuid} NOT NULL,
    run_key TEXT NOT NULL,
    at BIGINT NOT NULL,
    person_id {uuid} NOT NULL,
    person_name TEXT NOT NULL,
    outcome TEXT,
    comment TEXT NOT NULL,
    PRIMARY KEY (agency_id, run_key, at)
);

-- Additive counters. grain: 0 hours, 1 days; bucket counts them since the epoch, UTC.
CREATE TABLE tallies (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    slice TEXT NOT NULL,
    grain SMALLINT NOT NULL,
    metric TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    key TEXT NOT NULL,
    release TEXT NOT NULL,
    n BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (agency_id, workflow_id, slice, grain, metric, bucket, key, release)
) {clustered};

CREATE TABLE reports (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    client_id {uuid} NOT NULL,
    month TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    edits TEXT NOT NULL,
    document TEXT NOT NULL,
    receipts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    published_at BIGINT,
    published_by TEXT,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX reports_revision ON reports (agency_id, client_id, month, revision);

CREATE TABLE jobs (
    id {uuid} NOT NULL PRIMARY KEY,
    agency_id {uuid},
    kind TEXT NOT NULL,
    dedupe TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    lease_until BIGINT,
    attempts INTEGER NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    error TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX jobs_waiting ON jobs (state, run_at);
CREATE INDEX jobs_agency ON jobs (agency_id, created_at);

CREATE TABLE audit (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    at BIGINT NOT NULL,
    person TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (agency_id, id)
);
