//! What a workflow's page shows beside figures: when releases appeared, what each came to, and intervals of rates.

use steward_core::ids::WorkflowId;
use steward_core::metrics::Sums;
use steward_core::tallies::Metric;
use steward_core::time::{HOUR_MICROS, Period, Timestamp};
use steward_stats::intervals::wilson;
use steward_store::tenant::TallyQuery;

use crate::{Actor, App, AppError};

/// The most releases that are told apart; older ones are left out.
const MAX_RELEASES: usize = 12;

/// A release of a workflow in a period.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its name; empty for runs whose sender names none.
    pub name: String,
    /// The hour in which its first run of the period ended.
    pub first_at: Timestamp,
    /// What its runs came to.
    pub sums: Sums,
}

/// The 95 % interval of a rate (Wilson). `None` of nothing.
#[must_use]
pub fn interval(part: i64, whole: i64) -> Option<(f64, f64)> {
    wilson(u64::try_from(part).ok()?, u64::try_from(whole).ok()?)
}

impl App {
    /// The releases of a workflow that finished runs in a period, the first seen first.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the workflow is out of the actor's reach.
    pub async fn list_releases(&self, actor: &Actor, id: WorkflowId, period: Period) -> Result<Vec<Release>, AppError> {
        let workflow = self.get_workflow(actor, id).await?;
        let store = self.store_of(actor);
        let found = store.list_releases(workflow.id, period).await?;
        let skipped = found.len().saturating_sub(MAX_RELEASES);
        let mut releases = Vec::new();
        for (name, first_hour, ..) in found.into_iter().skip(skipped) {
            let query = TallyQuery {
                workflows: vec![workflow.id],
                period,
                slice: String::new(),
                release: Some(name.clone()),
                metrics: vec![Metric::Runs, Metric::Outcome, Metric::Cost, Metric::CostUnknown, Metric::CycleBucket],
            };
            let mut sums = Sums::default();
            store.sum_tallies(&query).await?.iter().for_each(|(_, of_workflow)| sums.merge(of_workflow));
            releases.push(Release { name, first_at: Timestamp(i64::from(first_hour) * HOUR_MICROS), sums });
        }
        Ok(releases)
    }
}
