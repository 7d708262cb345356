-- Links by which somebody without a sign-in reads the handoff packet of one exception. The token is kept as its hash.
CREATE TABLE handoff_links (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    exception_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    token_hash {blob} NOT NULL,
    made_for TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    opened_at BIGINT,
    n_opened BIGINT NOT NULL,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX handoff_links_token ON handoff_links (token_hash);
CREATE INDEX handoff_links_exception ON handoff_links (agency_id, exception_id, created_at);

-- What somebody who came by a link says that they did.
CREATE TABLE handoff_answers (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    link_id {uuid} NOT NULL,
    exception_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    at BIGINT NOT NULL,
    name TEXT NOT NULL,
    resolution TEXT NOT NULL,
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX handoff_answers_exception ON handoff_answers (agency_id, exception_id, at);
CREATE INDEX handoff_answers_link ON handoff_answers (agency_id, link_id);

-- Where packets are sent, for one workflow or for all of a client's. kinds is empty for all, else each kind between two
-- commas; least_value_nanos is what must at least be at stake.
CREATE TABLE handoff_channels (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    client_id {uuid},
    workflow_id {uuid},
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    shown TEXT NOT NULL,
    sealed {blob} NOT NULL,
    kinds TEXT NOT NULL,
    least_value_nanos BIGINT NOT NULL,
    per_hour INTEGER NOT NULL,
    link_days INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    paused_at BIGINT,
    lease_until BIGINT,
    digest_at BIGINT,
    sent_at BIGINT,
    error TEXT,
    failed_at BIGINT,
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX handoff_channels_workflow ON handoff_channels (agency_id, workflow_id);

-- What is to be sent, written with what makes it due, and sent at least once: the id is the same at each try.
-- exception_id is that of nothing for a test. sealed_token is gone once it was sent.
CREATE TABLE handoff_outbox (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    channel_id {uuid} NOT NULL,
    exception_id {uuid} NOT NULL,
    state TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    is_test BOOLEAN NOT NULL,
    in_digest BOOLEAN NOT NULL,
    sealed_token {blob},
    error TEXT,
    PRIMARY KEY (agency_id, id)
);
CREATE UNIQUE INDEX handoff_outbox_once ON handoff_outbox (agency_id, channel_id, exception_id);
CREATE INDEX handoff_outbox_due ON handoff_outbox (run_at) WHERE state = 'waiting';
CREATE INDEX handoff_outbox_sent ON handoff_outbox (agency_id, channel_id, sent_at);
