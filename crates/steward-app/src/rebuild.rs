//! Rebuild and replay: the same figures from the same inbox, or better ones from a better reader.
//!
//! A run is emptied where it stands, keeping its id, and filled again from the raw payloads. Runs whose payloads
//! retention has dropped, even in part, are left as they are.

use steward_core::ids::AgencyId;
use steward_core::money::Nanos;
use steward_core::outcome::{Evidence, EvidenceKind, Outcome};
use steward_core::run::{CostSource, RunFacts};
use steward_core::tallies::Tallies;
use steward_stats::histogram::bucket_of;
use steward_store::tenant::{NewRun, RunCommit, RunFilter};

use crate::{App, AppError};

/// Runs that one transaction empties.
const RUNS_AT_ONCE: u32 = 500;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// Runs that were emptied and read again.
    pub runs: u64,
    /// Runs that were left as they are, because their payloads are gone.
    pub left: u64,
    /// Payloads that were read.
    pub payloads: u64,
}

impl App {
    /// Reads all raw payloads of an agency again.
    ///
    /// `progress` is told how many runs were emptied and how many payloads were read.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. Running it again finishes what it began.
    pub async fn rebuild(&self, agency_id: AgencyId, progress: &(dyn Fn(Rebuilt) + Sync)) -> Result<Rebuilt, AppError> {
        let store = self.agency(agency_id);
        let mut done = Rebuilt::default();
        let Some(oldest) = store.oldest_inbox().await? else { return Ok(done) };
        self.assemble_waiting().await?;
        let filter = RunFilter { with_tests: true, ..RunFilter::default() };
        let mut behind = None;
        loop {
            let keys = store.list_run_keys(&filter, behind, RUNS_AT_ONCE).await?;
            let Some((last, _)) = keys.last() else { break };
            behind = Some(*last);
            let keys: Vec<String> = keys.into_iter().map(|(_, key)| key).collect();
            let mut commit = RunCommit {
                node: self.inner.node,
                inbox_ids: Vec::new(),
                runs: Vec::new(),
                removed: Vec::new(),
                traces: Vec::new(),
                tallies: Tallies::default(),
            };
            for run in store.find_stored_runs(&keys).await? {
                if run.first_received_at < oldest || run.steps_dropped {
                    done.left += 1;
                    continue;
                }
                done.runs += 1;
                commit.tallies.add(run.workflow_id, &run.facts, -1, bucket_of);
                commit.runs.push(NewRun {
                    id: run.id,
                    workflow_id: run.workflow_id,
                    key: run.key,
                    revision: run.revision + 1,
                    facts: emptied(&run.facts),
                    steps: Some(NewRun::pack(&[])),
                    inbox_ids: Vec::new(),
                    settings_version: 0,
                    first_received_at: run.first_received_at,
                    last_received_at: run.first_received_at,
                    had_exceptions: !run.facts.exceptions.is_empty(),
                    had_ended: run.facts.finished,
                });
            }
            store.commit_runs(commit).await?;
            progress(done);
        }
        done.payloads = store.requeue_inbox().await?;
        progress(done);
        self.forget_readers(agency_id);
        self.assemble_waiting().await?;
        store.reset_mining(None).await?;
        self.mine_patterns().await?;
        self.fill_queue().await?;
        Ok(done)
    }
}

/// A run of which nothing is known: it counts nowhere until it is read again.
fn emptied(facts: &RunFacts) -> RunFacts {
    let evidence = Evidence {
        outcome: Outcome::Unverified,
        kind: EvidenceKind::Nothing,
        words: "it is being read again".to_owned(),
        span_id: None,
    };
    RunFacts {
        finished: false,
        due_at: None,
        final_at: None,
        evidence,
        claimed: None,
        cost_nanos: None,
        known_cost_nanos: Nanos(0),
        cost_source: CostSource::Unknown,
        models: Vec::new(),
        tools: Vec::new(),
        results: Vec::new(),
        n_exceptions: 0,
        exceptions: Vec::new(),
        ..facts.clone()
    }
}
