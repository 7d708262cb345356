-- What writes of programs were answered, by the key that their sender gave them, so that sending one again does it once.
-- status is NULL while the first is under way, and answer while there is none or it may not be kept.
CREATE TABLE idempotency_keys (
    agency_id {uuid} NOT NULL,
    person_id {uuid} NOT NULL,
    key_hash TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    status INTEGER,
    answer {blob},
    PRIMARY KEY (agency_id, person_id, key_hash)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (agency_id, created_at);
