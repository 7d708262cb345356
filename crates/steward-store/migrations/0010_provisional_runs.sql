-- Runs that late data may still change are those whose end as final lies ahead: few, however many runs there are.
CREATE INDEX runs_final ON runs (agency_id, workflow_id, final_at) WHERE final_at IS NOT NULL;
