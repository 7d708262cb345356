-- Whether the queue has looked at an exception under the pattern that it has.
ALTER TABLE exceptions ADD COLUMN is_queued BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX exceptions_to_queue ON exceptions (agency_id, workflow_id) WHERE NOT is_queued AND pattern_id IS NOT NULL;

-- Whether the queue knows that a pattern is muted.
ALTER TABLE patterns ADD COLUMN queue_muted BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX patterns_to_queue ON patterns (agency_id) WHERE (state = 'muted') <> queue_muted;

-- Which review, or which bulk review, gave a verdict; taking the one back takes the other back.
ALTER TABLE verdicts ADD COLUMN review_id {uuid};

-- What waits for a person, or has waited. The id of an exception's item is the exception's; value_nanos is in the
-- client's currency, and rank the item's place, the highest first. claimed_by is who works on it, or did last, until
-- claim_until; kept_at is when they last gave a sign of life, and active_ms what was measured so far.
CREATE TABLE queue_items (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    kind TEXT NOT NULL,
    workflow_id {uuid} NOT NULL,
    run_id {uuid} NOT NULL,
    run_key TEXT NOT NULL,
    release TEXT NOT NULL,
    pattern_id {uuid},
    exception_kind TEXT,
    class TEXT NOT NULL,
    tool TEXT NOT NULL,
    message TEXT NOT NULL,
    arrived_at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    value_nanos BIGINT,
    rank BIGINT NOT NULL,
    assignee_id {uuid},
    claimed_by {uuid},
    claimed_name TEXT,
    claimed_at BIGINT,
    claim_until BIGINT,
    kept_at BIGINT,
    active_ms BIGINT,
    closed_at BIGINT,
    closed_by TEXT,
    review_id {uuid},
    PRIMARY KEY (agency_id, id)
);
-- Each order and each filter of the page is answered from one of these alone; only of what is shown is the row read.
CREATE INDEX queue_items_rank ON queue_items
    (agency_id, rank, id, workflow_id, arrived_at, due_at, value_nanos, assignee_id) WHERE closed_at IS NULL;
CREATE INDEX queue_items_due ON queue_items
    (agency_id, due_at, id, workflow_id, arrived_at, value_nanos, assignee_id) WHERE closed_at IS NULL;
CREATE INDEX queue_items_arrived ON queue_items
    (agency_id, arrived_at, id, workflow_id, due_at, value_nanos, assignee_id) WHERE closed_at IS NULL;
CREATE INDEX queue_items_workflow ON queue_items
    (agency_id, workflow_id, rank, id, arrived_at, due_at, value_nanos, assignee_id, kind) WHERE closed_at IS NULL;
CREATE INDEX queue_items_pattern ON queue_items
    (agency_id, pattern_id, rank, id, arrived_at, due_at, value_nanos, assignee_id, workflow_id) WHERE closed_at IS NULL;
CREATE INDEX queue_items_assignee ON queue_items
    (agency_id, assignee_id, rank, id, arrived_at, due_at, value_nanos, workflow_id) WHERE closed_at IS NULL;
CREATE INDEX queue_items_muted ON queue_items (agency_id, pattern_id) WHERE closed_by = 'muted';
CREATE INDEX queue_items_run ON queue_items (agency_id, run_id);

-- Runs that were revised, whose items are to be compared with what they have now.
CREATE TABLE queue_rechecks (
    agency_id {uuid} NOT NULL,
    run_id {uuid} NOT NULL,
    PRIMARY KEY (agency_id, run_id)
);

-- What came into the queue and left it, by hour since the epoch, UTC. what: arrived, back, review, muted, gone.
CREATE TABLE queue_flow (
    agency_id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    hour INTEGER NOT NULL,
    what TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (agency_id, workflow_id, hour, what)
) {clustered};

-- Rules that assign what arrives and say when it is due.
CREATE TABLE queue_rules (
    agency_id {uuid} NOT NULL PRIMARY KEY,
    rules TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- What people made of items. An undone review counts nowhere. reread: the outcome of its run is still to be corrected.
CREATE TABLE reviews (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    item_id {uuid} NOT NULL,
    kind TEXT NOT NULL,
    exception_kind TEXT,
    run_id {uuid} NOT NULL,
    run_key TEXT NOT NULL,
    release TEXT NOT NULL,
    workflow_id {uuid} NOT NULL,
    pattern_id {uuid},
    reviewer_id {uuid} NOT NULL,
    reviewer TEXT NOT NULL,
    claimed_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    measured_ms BIGINT,
    active_ms BIGINT,
    active_note TEXT NOT NULL,
    agent TEXT,
    outcome TEXT,
    cause TEXT,
    preventable BOOLEAN,
    prevented_by TEXT,
    cleanup_minutes INTEGER NOT NULL,
    resolution TEXT NOT NULL,
    comment TEXT NOT NULL,
    bulk_id {uuid},
    undone_at BIGINT,
    undone_by TEXT NOT NULL,
    reread BOOLEAN NOT NULL,
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX reviews_closed ON reviews (agency_id, closed_at, id);
CREATE INDEX reviews_workflow ON reviews (agency_id, workflow_id, closed_at, id);
CREATE INDEX reviews_pattern ON reviews (agency_id, pattern_id, closed_at, id);
CREATE INDEX reviews_reviewer ON reviews (agency_id, reviewer_id, closed_at, id);
CREATE INDEX reviews_item ON reviews (agency_id, item_id);
CREATE INDEX reviews_run ON reviews (agency_id, run_id);
CREATE INDEX reviews_bulk ON reviews (agency_id, bulk_id, id) WHERE bulk_id IS NOT NULL;
CREATE INDEX reviews_reread ON reviews (agency_id, run_key) WHERE reread;

-- One judgement on all items of a pattern that were open and free when it began.
CREATE TABLE bulk_reviews (
    agency_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    workflow_id {uuid} NOT NULL,
    pattern_id {uuid} NOT NULL,
    reviewer_id {uuid} NOT NULL,
    reviewer TEXT NOT NULL,
    judgement TEXT NOT NULL,
    active_ms BIGINT,
    created_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (agency_id, id)
);
CREATE INDEX bulk_reviews_created ON bulk_reviews (agency_id, created_at, id);
