-- Lists of runs that are rare among very many: those of one outcome, and those with an exception.
CREATE INDEX runs_outcome ON runs (agency_id, outcome, ended_at, id);
CREATE INDEX runs_exceptions ON runs (agency_id, ended_at, id) WHERE n_exceptions > 0;
