//! Receipts: from a code in a report to exactly the runs behind a figure.
//!
//! Invariant: a receipt says how many runs it opens, and that number was summed from the same hours and the same
//! workflows that its filter names. Tallies count finished runs without test runs, so receipts open these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use steward_core::ids::WorkflowId;
use steward_core::outcome::Outcome;
use steward_core::report::Receipt;
use steward_core::time::Period;
use steward_store::tenant::RunFilter;

/// The runs behind each figure of a report, by the code that stands beside it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipts(BTreeMap<String, ReceiptRuns>);

impl Receipts {
    /// The runs of one receipt. `None` for a code that the report does not have.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&ReceiptRuns> {
        self.0.get(code)
    }

    /// Every code with its runs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ReceiptRuns)> {
        self.0.iter().map(|(code, runs)| (code.as_str(), runs))
    }
}

/// Which finished runs a receipt opens. What is `None` does not limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiptRuns {
    /// Of these workflows.
    pub workflows: Vec<WorkflowId>,
    /// That ended in this period: whole hours, as tallies count.
    pub period: Period,
    /// With this outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// With, or without, a verified outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// With, or without, an exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<bool>,
    /// That brought about this result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

impl ReceiptRuns {
    /// All finished runs of some workflows in a period.
    #[must_use]
    pub fn of(workflows: Vec<WorkflowId>, period: Period) -> Self {
        Self { workflows, period, outcome: None, verified: None, exceptions: None, result: None }
    }

    /// The filter that lists these runs.
    #[must_use]
    pub fn filter(&self) -> RunFilter {
        RunFilter {
            workflows: Some(self.workflows.clone()),
            period: Some(self.period),
            finished: Some(true),
            outcome: self.outcome,
            verified: self.verified,
            exceptions: self.exceptions,
            result: self.result.clone(),
            ..RunFilter::default()
        }
    }
}

/// Gives out receipts, each with a code of its own.
#[derive(Debug)]
pub(super) struct Book {
    /// What comes before the code in an address: `https://steward.example/r/rep_…`.
    address: String,
    receipts: Receipts,
}

impl Book {
    pub(super) fn new(address: String) -> Self {
        Self { address, receipts: Receipts::default() }
    }

    /// A receipt for runs; `None` where there are none to open.
    pub(super) fn issue(&mut self, runs: ReceiptRuns, n_runs: i64) -> Option<Receipt> {
        let n_runs = u64::try_from(n_runs).ok().filter(|n| *n > 0)?;
        let code = format!("R{}", self.receipts.0.len() + 1);
        let receipt = Receipt { url: format!("{}/{code}", self.address), code: code.clone(), n_runs };
        self.receipts.0.insert(code, runs);
        Some(receipt)
    }

    pub(super) fn close(self) -> Receipts {
        self.receipts
    }
}
