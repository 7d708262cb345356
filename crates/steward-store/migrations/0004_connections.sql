-- What a payload came by, where that is no key, and whether its runs are tests.
ALTER TABLE inbox ADD COLUMN connection_id {uuid};
ALTER TABLE inbox ADD COLUMN is_test BOOLEAN NOT NULL DEFAULT FALSE;
-- Payloads that cannot be read are few among many, and looked for often.
CREATE INDEX inbox_unreadable ON inbox (agency_id, received_at) WHERE state = 2;

-- How a workflow is connected to what sends its runs. sealed holds its address's token and its secrets, encrypted.
CREATE TABLE connections (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    key_id {uuid},
    old_key_id {uuid},
    token_hash {blob},
    sealed {blob},
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT,
    last_event_at BIGINT,
    next_poll_at BIGINT,
    poll_since BIGINT,
    poll_cursor TEXT,
    poll_begun_at BIGINT,
    polled_at BIGINT,
    looked_back_at BIGINT,
    poll_error TEXT,
    poll_failures INTEGER NOT NULL,
    n_listed BIGINT NOT NULL,
    n_known BIGINT NOT NULL,
    n_found BIGINT NOT NULL,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX connections_token ON connections (token_hash);
CREATE INDEX connections_workflow ON connections (agency_id, workflow_id);
CREATE INDEX connections_due ON connections (next_poll_at) WHERE next_poll_at IS NOT NULL;

-- What senders did wrong, counted by hour. sender is a key, a connection, or all zeros for nobody known.
CREATE TABLE mistakes (
    agency_id {uuid} NOT NULL,
    sender {uuid} NOT NULL,
    kind TEXT NOT NULL,
    hour INTEGER NOT NULL,
    n BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (agency_id, sender, kind, hour)
);
