//! Steps into runs: grouping by trace or conversation, merging with what is known, reading the run anew, and
//! writing run and tallies in one transaction that also settles the inbox entries.
//!
//! Invariant: an entry is settled in the same transaction that writes its runs, and only by the process that holds
//! it, so each is counted exactly once. A run that another process revised meanwhile is read and merged again.
//! An entry that fails by itself is set aside with the reason, so that it holds up no other.

mod readers;
mod work;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use steward_core::ids::{AgencyId, InboxId};
use steward_store::StoreError;
use steward_store::system::InboxEntry;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) use readers::Readers;
use work::Work;
pub(crate) use work::{split_key, trace_key};
use write::Prepared;

use crate::intake::{Held, LEASE_MS, Origin, decode};
use crate::{App, AppError};

/// Steps that one transaction takes at most; more wait for the next.
const STEPS_AT_ONCE: usize = 4_000;
/// How long a transaction waits for more steps after its first: few large ones cost less than many small ones.
const GATHER: Duration = Duration::from_millis(100);
/// How often a transaction that another writer outran is tried again.
const MAX_TRIES: u32 = 8;
/// How long assembly waits for a database that does not answer.
const PAUSE: Duration = Duration::from_millis(500);
/// What the log says of entries that are found again when their lease is over.
const LEFT: &str = "assembly failed, its entries wait in the inbox";
/// How long a run that could not be read stays as it is before it is tried again.
const POSTPONED_MS: i64 = 3_600_000;
/// How often abandoned entries and quiet runs are looked for.
const LOOK_AROUND: Duration = Duration::from_millis(1_000);

/// A transaction that is being written while the next is prepared.
#[derive(Debug)]
struct Writing {
    /// Gone when it is done, so that its steps give back their room.
    work: Weak<Work>,
    done: JoinHandle<()>,
}

impl App {
    pub(crate) async fn assemble_forever(self, mut held: mpsc::Receiver<Held>) {
        let mut writing: Option<Writing> = None;
        let mut look_around_at = Instant::now();
        loop {
            if Instant::now() >= look_around_at {
                // In a task of its own, so that a fault in reading one run ends that task and not assembly.
                let app = self.clone();
                match tokio::spawn(async move { app.assemble_waiting().await }).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "assembly could not look for waiting entries"
                        );
                    }
                    Err(fault) => tracing::error!(%fault, "assembly failed while it looked for waiting entries"),
                }
                look_around_at = Instant::now() + LOOK_AROUND;
            }
            let first = match tokio::time::timeout_at(look_around_at, held.recv()).await {
                Ok(Some(first)) => first,
                Ok(None) => break,
                Err(_) => continue,
            };
            for (agency_id, entries) in by_agency(gather(first, &mut held).await) {
                writing = self.assemble_behind(writing, agency_id, entries).await;
            }
        }
        wait_for(writing).await;
    }

    /// Prepares entries of one agency while the transaction before them is being written, and starts to write them.
    async fn assemble_behind(
        &self,
        mut before: Option<Writing>,
        agency_id: AgencyId,
        entries: Vec<Held>,
    ) -> Option<Writing> {
        let work = Work::of(agency_id, entries);
        // Which run a trace of a conversation belongs to is known when what came before is written.
        let settled = match self.readers(agency_id).await {
            Ok(readers) => !readers.has_conversations(),
            Err(_) => false,
        };
        let meets = |before: &Writing| before.work.upgrade().is_some_and(|before| before.meets(&work));
        if !settled || before.as_ref().is_some_and(meets) {
            wait_for(before.take()).await;
        }
        let give_up_at = self.clock().now().plus_ms(LEASE_MS);
        let mut unsorted = work;
        let work = loop {
            match self.by_conversation(unsorted).await {
                Ok(work) => break Arc::new(work),
                Err((same, error)) if self.clock().now() < give_up_at => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "assembly waits for the database");
                    tokio::time::sleep(PAUSE).await;
                    unsorted = same;
                }
                Err((_, error)) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "{LEFT}");
                    return before;
                }
            }
        };
        let app = self.clone();
        let ahead = Arc::clone(&work);
        let prepared = tokio::spawn(async move { app.prepare(&ahead).await }).await;
        wait_for(before).await;
        let app = self.clone();
        let same = Arc::downgrade(&work);
        let done = tokio::spawn(async move {
            match prepared {
                Ok(Ok(prepared)) => app.assemble_patiently(&work, Some(prepared)).await,
                Ok(Err(_)) => app.assemble_patiently(&work, None).await,
                Err(_) => app.assemble_singly(work.agency_id, &work.inbox_ids).await,
            }
        });
        Some(Writing { work: same, done })
    }

    /// Assembles until it succeeds, or until the entries' lease is over and another process may take them.
    async fn assemble_patiently(&self, work: &Arc<Work>, mut prepared: Option<Prepared>) {
        let give_up_at = self.clock().now().plus_ms(LEASE_MS);
        loop {
            match self.assemble(work, prepared.take()).await {
                Ok(()) => return,
                Err(error @ AppError::Busy { .. }) if self.clock().now() < give_up_at => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "assembly waits for the database");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error @ AppError::Busy { .. }) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "{LEFT}");
                    return;
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "assembly failed, its entries are tried one by one"
                    );
                    return self.assemble_singly(work.agency_id, &work.inbox_ids).await;
                }
            }
        }
    }

    /// Assembles in one transaction, which is tried again when another writer was there first.
    async fn assemble(&self, work: &Arc<Work>, mut prepared: Option<Prepared>) -> Result<(), AppError> {
        for attempt in 1.. {
            let result = match prepared.take() {
                Some(prepared) => self.write(prepared).await,
                None => {
                    let (app, work) = (self.clone(), Arc::clone(work));
                    // In a task of its own: a fault in reading a run is an error here, and not the end of assembly.
                    match tokio::spawn(async move { app.write(app.prepare(&work).await?).await }).await {
                        Ok(result) => result,
                        Err(_) => return Err(AppError::Fault("reading a run")),
                    }
                }
            };
            match result {
                Err(AppError::Busy { source: Some(StoreError::Outrun), .. }) if attempt < MAX_TRIES => {
                    tokio::time::sleep(Duration::from_millis(5 * u64::from(attempt))).await;
                }
                result => return result,
            }
        }
        Ok(())
    }

    /// Assembles entries each by itself, and sets aside those that fail for a reason that will not pass.
    async fn assemble_singly(&self, agency_id: AgencyId, ids: &[InboxId]) {
        for id in ids {
            let result = match self.agency(agency_id).find_held(*id, self.inner.node).await {
                Ok(entry) => self.assemble_entries(entry.into_iter().collect()).await,
                Err(error) => Err(error.into()),
            };
            match result {
                Ok(()) => {}
                Err(error) if error.is_passing() => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "assembly waits for the database, an entry waits in the inbox"
                    );
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        inbox_id = %id.as_uuid(),
                        "an entry of the inbox cannot be assembled and is set aside"
                    );
                    let reason = format!("Steward failed on it, which is a fault of Steward: {}", reason_of(&error));
                    if let Err(error) = self.agency(agency_id).mark_unreadable(*id, &reason).await {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "an entry could not be set aside and will be tried again"
                        );
                    }
                }
            }
        }
    }

    /// Assembles entries of the inbox that this process holds, as many at once as one transaction takes.
    async fn assemble_entries(&self, entries: Vec<InboxEntry>) -> Result<(), AppError> {
        let mut read = Vec::with_capacity(entries.len());
        for entry in entries {
            match decode(Origin::of_entry(&entry), entry.kind, &entry.body) {
                Ok(decoded) => {
                    let mut steps = decoded.steps;
                    steps.iter_mut().for_each(|step| step.received_at = entry.received_at);
                    let (id, agency_id, workflow_id) = (entry.id, entry.agency_id, entry.workflow_id);
                    read.push(Held { id, agency_id, workflow_id, steps, room: None });
                }
                Err(error) => self.agency(entry.agency_id).mark_unreadable(entry.id, &error.to_string()).await?,
            }
        }
        for (agency_id, mut entries) in by_agency(read) {
            while !entries.is_empty() {
                let mut n_steps = 0;
                let take = entries.iter().take_while(|held| {
                    n_steps += held.steps.len();
                    n_steps <= STEPS_AT_ONCE * 2
                });
                let rest = entries.split_off(take.count().max(1));
                let work = self.by_conversation(Work::of(agency_id, entries)).await.map_err(|(_, error)| error)?;
                let work = Arc::new(work);
                match self.assemble(&work, None).await {
                    Err(error) if !error.is_passing() && work.inbox_ids.len() > 1 => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "assembly failed, its entries are tried one by one"
                        );
                        Box::pin(self.assemble_singly(agency_id, &work.inbox_ids)).await;
                    }
                    result => result?,
                }
                entries = rest;
            }
        }
        Ok(())
    }

    /// Assembles every entry that waits and that nobody holds, and ends runs that have gone quiet. Gives how many entries and runs.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. What is done stays done.
    pub async fn assemble_waiting(&self) -> Result<u64, AppError> {
        let mut n = 0;
        loop {
            let now = self.clock().now();
            let entries = self.store().claim_inbox(self.inner.node, now, now.plus_ms(LEASE_MS), 400).await?;
            if entries.is_empty() {
                break;
            }
            n += entries.len() as u64;
            let mut agencies: HashMap<AgencyId, Vec<InboxEntry>> = HashMap::new();
            for entry in entries {
                agencies.entry(entry.agency_id).or_default().push(entry);
            }
            for (agency_id, entries) in agencies {
                let ids: Vec<InboxId> = entries.iter().map(|entry| entry.id).collect();
                match self.assemble_entries(entries).await {
                    // Entries that come one to a batch have been tried singly.
                    Err(error) if !error.is_passing() => self.assemble_singly(agency_id, &ids).await,
                    result => result?,
                }
            }
        }
        Ok(n + self.end_quiet_runs().await?)
    }

    /// Ends runs that have gone quiet, or have reached their greatest age. Gives how many.
    async fn end_quiet_runs(&self) -> Result<u64, AppError> {
        let mut n = 0;
        // Bounded, so that runs that are due again at once do not keep this from going on.
        for _ in 0..40 {
            let due = self.store().list_due_runs(self.clock().now(), 500).await?;
            let n_due = due.len() as u64;
            let mut agencies: HashMap<AgencyId, Vec<String>> = HashMap::new();
            for (agency_id, key) in due {
                agencies.entry(agency_id).or_default().push(key);
            }
            for (agency_id, keys) in agencies {
                match self.reread_runs(agency_id, &keys).await {
                    Err(error) if !error.is_passing() => self.end_singly(agency_id, keys).await?,
                    result => result?,
                }
            }
            n += n_due;
            if n_due < 500 {
                break;
            }
        }
        Ok(n)
    }

    /// Ends quiet runs each by itself; one that cannot be read is left open and tried again later.
    async fn end_singly(&self, agency_id: AgencyId, keys: Vec<String>) -> Result<(), AppError> {
        for key in keys {
            match self.reread_runs(agency_id, std::slice::from_ref(&key)).await {
                Err(error) if !error.is_passing() => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        run_key = key,
                        "a run that has gone quiet cannot be read and stays open"
                    );
                    let until = self.clock().now().plus_ms(POSTPONED_MS);
                    self.agency(agency_id).postpone_run(&key, until).await?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    /// Reads runs anew from the steps that are stored: after a verdict, a change of rules or prices, or a quiet time.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn reread_runs(&self, agency_id: AgencyId, keys: &[String]) -> Result<(), AppError> {
        self.assemble(&Arc::new(Work::reread(agency_id, keys)), None).await
    }

    /// How many steps wait in this process's memory for assembly.
    #[must_use]
    pub fn n_steps_waiting(&self) -> usize {
        self.inner.intake.n_waiting()
    }
}

/// More entries behind a first, until there are enough for one transaction or it has waited long enough.
async fn gather(first: Held, held: &mut mpsc::Receiver<Held>) -> Vec<Held> {
    let until = Instant::now() + GATHER;
    let mut n_steps = first.steps.len();
    let mut entries = vec![first];
    while n_steps < STEPS_AT_ONCE {
        let Ok(Some(next)) = tokio::time::timeout_at(until, held.recv()).await else { break };
        n_steps += next.steps.len();
        entries.push(next);
    }
    entries
}

fn by_agency(entries: Vec<Held>) -> HashMap<AgencyId, Vec<Held>> {
    let mut agencies: HashMap<AgencyId, Vec<Held>> = HashMap::new();
    for entry in entries {
        agencies.entry(entry.agency_id).or_default().push(entry);
    }
    agencies
}

async fn wait_for(writing: Option<Writing>) {
    if let Some(writing) = writing
        && let Err(fault) = writing.done.await
    {
        tracing::error!(%fault, "{LEFT}");
    }
}

/// An error with its causes, in one line.
fn reason_of(error: &AppError) -> String {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        reason.push_str(": ");
        reason.push_str(&error.to_string());
        cause = error.source();
    }
    reason
}
