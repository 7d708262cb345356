-- What people said of runs that became part of another is found by the key that these had.
CREATE INDEX queue_items_key ON queue_items (agency_id, run_key);
CREATE INDEX reviews_key ON reviews (agency_id, run_key);
CREATE INDEX handoff_outbox_exception ON handoff_outbox (agency_id, exception_id);
