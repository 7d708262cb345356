//! Tallies: additive counters by hour and by day, from which every figure over time is summed.

use std::collections::BTreeMap;

use sea_orm::{DatabaseTransaction, Value};
use steward_core::ids::WorkflowId;
use steward_core::metrics::Sums;
use steward_core::tallies::{Metric, Tallies};
use steward_core::time::{Buckets, Period, Stretch};
use uuid::Uuid;

use super::AgencyStore;
use crate::sql::{Row, Sql, insert_many};
use crate::{Store, StoreError};

/// Which tallies to sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyQuery {
    /// Of these workflows; an empty list gives nothing.
    pub workflows: Vec<WorkflowId>,
    /// In this period.
    pub period: Period,
    /// In this slice, by its code; empty is all runs.
    pub slice: String,
    /// Of this release only.
    pub release: Option<String>,
    /// Of these kinds only; empty is all.
    pub metrics: Vec<Metric>,
}

/// Sums by hour or by day: hours or days since the epoch, and what happened in them.
pub type TallySeries = Vec<(i32, Sums)>;

/// One counter: workflow, slice, grain, metric, bucket, key, release; in the order in which writers lock them.
type Counter<'a> = (WorkflowId, &'a str, i16, &'static str, i32, &'a str, &'a str);

/// A tally as it is stored: workflow, slice, grain, metric, bucket, key, release, n, sum.
pub type StoredTally = (WorkflowId, String, i16, String, i32, String, String, i64, i64);

const COLUMNS: &[&str] =
    &["agency_id", "workflow_id", "slice", "grain", "metric", "bucket", "key", "release", "n", "sum"];

/// The rows that add to the tallies, by hour and by day.
pub(super) fn rows(agency: Uuid, tallies: &Tallies) -> Vec<Vec<Value>> {
    // Sorted, so that all writers lock rows in one order; added up, so that each row is written once.
    let mut sums: BTreeMap<Counter<'_>, (i64, i64)> = BTreeMap::new();
    for ((workflow, slice, metric, hour, key, release), n, added) in tallies.iter() {
        for (grain, bucket) in [(0, hour), (1, hour.div_euclid(24))] {
            let sum = sums.entry((workflow, slice, grain, metric.code(), bucket, key, release)).or_default();
            sum.0 += n;
            sum.1 = sum.1.saturating_add(added);
        }
    }
    sums.retain(|_, sum| *sum != (0, 0));
    sums.into_iter()
        .map(|((workflow, slice, grain, metric, bucket, key, release), (n, sum))| {
            vec![
                agency.into(),
                workflow.as_uuid().into(),
                slice.into(),
                grain.into(),
                metric.into(),
                bucket.into(),
                key.into(),
                release.into(),
                n.into(),
                sum.into(),
            ]
        })
        .collect()
}

pub(super) async fn add_rows(store: &Store, tx: &DatabaseTransaction, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    let tail = "ON CONFLICT (agency_id, workflow_id, slice, grain, metric, bucket, key, release)
                DO UPDATE SET n = tallies.n + excluded.n, sum = tallies.sum + excluded.sum";
    insert_many(tx, store.backend, "tallies", COLUMNS, rows, tail).await.map(|_| ())
}

impl AgencyStore {
    /// Sums tallies by workflow. Workflows with nothing in the period are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn sum_tallies(&self, query: &TallyQuery) -> Result<Vec<(WorkflowId, Sums)>, StoreError> {
        let mut by_workflow: Vec<(WorkflowId, Sums)> = Vec::new();
        if query.workflows.is_empty() {
            return Ok(by_workflow);
        }
        for (grain, (from, to)) in query.period.buckets().ranges() {
            let mut sql = self.read("SELECT workflow_id, metric, key, CAST(SUM(n) AS BIGINT), CAST(SUM(sum) AS BIGINT) FROM tallies WHERE agency_id = $1");
            push_query(&mut sql, query, grain, from, to);
            sql.push(" GROUP BY workflow_id, metric, key");
            for mut row in sql.all().await? {
                let workflow = WorkflowId::from_uuid(row.take()?);
                let metric: String = row.take()?;
                let key: String = row.take()?;
                let (n, sum) = (row.take()?, row.take()?);
                // A kind that this version does not know is another version's.
                let Some(metric) = Metric::parse(&metric) else { continue };
                let at = by_workflow.iter().position(|(id, _)| *id == workflow).unwrap_or_else(|| {
                    by_workflow.push((workflow, Sums::default()));
                    by_workflow.len() - 1
                });
                by_workflow[at].1.add(metric, &key, n, sum);
            }
        }
        Ok(by_workflow)
    }

    /// Sums tallies by hour, over all workflows of the query, in order; hours with nothing in them are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_tallies_by_hour(&self, query: &TallyQuery) -> Result<TallySeries, StoreError> {
        if query.workflows.is_empty() {
            return Ok(Vec::new());
        }
        let (from, to) =
            (query.period.start.hour(), query.period.end.plus_micros(steward_core::time::HOUR_MICROS - 1).hour());
        let mut sql = self.read("SELECT bucket, metric, key, CAST(SUM(n) AS BIGINT), CAST(SUM(sum) AS BIGINT) FROM tallies WHERE agency_id = $1");
        push_query(&mut sql, query, 0, from, to);
        sql.push(" GROUP BY bucket, metric, key ORDER BY bucket");
        let mut series = TallySeries::new();
        add_series(sql.all().await?, &mut series)?;
        Ok(series)
    }

    /// Sums tallies by the days of a zone, over all workflows of the query, in order; days with nothing in them are missing.
    /// `stretches` are those of the query's period in that zone.
    ///
    /// A day is told by how many lie between it and 1970-01-01 in that zone. An hour belongs to the day on which it
    /// begins there. Where the zone keeps UTC, whole days cost a row a day and key, and not one an hour.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_tallies_by_day(
        &self,
        query: &TallyQuery,
        stretches: &[Stretch],
    ) -> Result<TallySeries, StoreError> {
        let mut series = TallySeries::new();
        if query.workflows.is_empty() {
            return Ok(series);
        }
        for &Stretch { hours: (from, to), hours_ahead } in stretches {
            let buckets = if hours_ahead == 0 {
                Buckets::of_hours(from, to)
            } else {
                Buckets { days: (0, 0), hours: [(from, to), (0, 0)] }
            };
            for (grain, (from, to)) in buckets.ranges() {
                let day = if grain == 1 { "bucket".to_owned() } else { format!("(bucket + ({hours_ahead})) / 24") };
                let mut sql = self.read(format!("SELECT {day}, metric, key, CAST(SUM(n) AS BIGINT), CAST(SUM(sum) AS BIGINT) FROM tallies WHERE agency_id = $1"));
                push_query(&mut sql, query, grain, from, to);
                sql.push(" GROUP BY 1, metric, key ORDER BY 1");
                add_series(sql.all().await?, &mut series)?;
            }
        }
        series.sort_by_key(|(day, _)| *day);
        series.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1.merge(&later.1);
            }
            same
        });
        Ok(series)
    }

    /// Releases of a workflow that finished runs in a period: release, first and last hour since the epoch, and runs; in order of appearance.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_releases(
        &self,
        workflow: WorkflowId,
        period: Period,
    ) -> Result<Vec<(String, i32, i32, i64)>, StoreError> {
        let rows = self
            .read(
                "SELECT release, MIN(bucket), MAX(bucket), CAST(SUM(n) AS BIGINT) FROM tallies
                 WHERE agency_id = $1 AND workflow_id = $2 AND slice = '' AND grain = 0 AND metric = 'runs' AND bucket >= $3 AND bucket < $4
                 GROUP BY release HAVING SUM(n) > 0 ORDER BY MIN(bucket)",
            )
            .bind(workflow.as_uuid())
            .bind(period.start.hour())
            .bind(period.end.hour())
            .all()
            .await?;
        rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?, row.take()?, row.take()?))).collect()
    }

    /// Every tally of the agency that is not zero, in order; for comparing a rebuild with what was there.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_all_tallies(&self) -> Result<Vec<StoredTally>, StoreError> {
        let rows = self
            .read(
                "SELECT workflow_id, slice, grain, metric, bucket, key, release, n, sum FROM tallies
                 WHERE agency_id = $1 AND (n <> 0 OR sum <> 0)
                 ORDER BY workflow_id, slice, grain, metric, bucket, key, release",
            )
            .all()
            .await?;
        rows.into_iter()
            .map(|mut row| {
                Ok((
                    WorkflowId::from_uuid(row.take()?),
                    row.take()?,
                    row.take()?,
                    row.take()?,
                    row.take()?,
                    row.take()?,
                    row.take()?,
                    row.take()?,
                    row.take()?,
                ))
            })
            .collect()
    }
}

/// Adds rows of bucket, metric, key, n and sum, in the order of buckets.
fn add_series(rows: Vec<Row>, series: &mut TallySeries) -> Result<(), StoreError> {
    for mut row in rows {
        let bucket: i32 = row.take()?;
        let metric: String = row.take()?;
        let key: String = row.take()?;
        let (n, sum) = (row.take()?, row.take()?);
        let Some(metric) = Metric::parse(&metric) else { continue };
        if series.last().is_none_or(|(last, _)| *last != bucket) {
            series.push((bucket, Sums::default()));
        }
        if let Some((_, sums)) = series.last_mut() {
            sums.add(metric, &key, n, sum);
        }
    }
    Ok(())
}

fn push_query(sql: &mut Sql<'_, sea_orm::DatabaseConnection>, query: &TallyQuery, grain: i16, from: i32, to: i32) {
    sql.push(" AND workflow_id IN (");
    sql.push_list(query.workflows.iter().map(|id| id.as_uuid().into()));
    let slice = sql.placeholder(query.slice.clone());
    let grain = sql.placeholder(grain);
    sql.push(&format!(") AND slice = {slice} AND grain = {grain}"));
    let metrics: &[Metric] = if query.metrics.is_empty() { &Metric::ALL } else { &query.metrics };
    sql.push(" AND metric IN (");
    sql.push_list(metrics.iter().map(|metric| Value::from(metric.code())));
    let from = sql.placeholder(from);
    let to = sql.placeholder(to);
    sql.push(&format!(") AND bucket >= {from} AND bucket < {to}"));
    if let Some(release) = &query.release {
        let release = sql.placeholder(release.clone());
        sql.push(&format!(" AND release = {release}"));
    }
}
