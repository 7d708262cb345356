//! Which runs an address names: the query of the list of runs, of its exports and of every receipt, both ways.
//!
//! Invariant: what [`RunQuery::write`] writes, [`RunQuery::parse`] reads as the same filter, so a link shows to a
//! colleague exactly the runs that stood behind a figure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::outcome::{EvidenceKind, Outcome};
use steward_core::time::{EARLIEST, LATEST, Period, Timestamp};
use steward_store::tenant::RunFilter;

use crate::{Actor, App, AppError};

/// The most workflows that one address names.
const MAX_WORKFLOWS: usize = 200;
/// The most characters of a name in an address.
const MAX_CHARS: usize = 400;

/// The keys that a query of runs is made of; a page's other keys (sort, columns, cursor) are its own.
pub const KEYS: [&str; 25] = [
    "client", "workflow", "from", "to", "state", "outcome", "verified", "evidence", "model", "tool", "error", "release",
    "result", "user", "q", "exceptions", "priced", "late", "unmapped", "hours", "min_s", "max_s", "min_usd", "tests", "period",
];

/// Which runs an address names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunQuery {
    /// Only runs of this client's workflows.
    pub client: Option<ClientId>,
    /// The rest.
    pub filter: RunFilter,
}

impl RunQuery {
    /// Reads a query. Keys that are not its own, and empty values, are left out of account.
    ///
    /// # Errors
    ///
    /// Says which value cannot be read, in words: a filter that is not understood must not show other runs.
    pub fn parse(pairs: &[(String, String)], zone: &TimeZone, now: Timestamp) -> Result<Self, String> {
        let mut query = Self::default();
        let (mut from, mut to) = (None, None);
        for (key, value) in pairs.iter().map(|(key, value)| (key.as_str(), value.trim())).filter(|(_, value)| !value.is_empty()) {
            if value.chars().count() > MAX_CHARS {
                return Err(format!("{key} has at most {MAX_CHARS} characters"));
            }
            let filter = &mut query.filter;
            let wrong = || format!("{key}={value} cannot be read");
            let yes = || match value {
                "yes" | "1" | "on" | "true" => Ok(true),
                "no" | "0" | "false" => Ok(false),
                _ => Err(wrong()),
            };
            let text = || Some(value.to_owned());
            match key {
                "client" => query.client = Some(value.parse().map_err(|_| wrong())?),
                "workflow" => {
                    let workflows = filter.workflows.get_or_insert_default();
                    if value != "none" && workflows.len() < MAX_WORKFLOWS {
                        workflows.push(value.parse().map_err(|_| wrong())?);
                    }
                }
                "from" => from = Some(instant(value, zone, false).ok_or_else(wrong)?),
                "to" => to = Some(instant(value, zone, true).ok_or_else(wrong)?),
                "state" => match value {
                    "open" => filter.finished = Some(false),
                    "finished" => filter.finished = Some(true),
                    "provisional" => filter.provisional_at = Some((true, now)),
                    "final" => filter.provisional_at = Some((false, now)),
                    _ => return Err(wrong()),
                },
                "outcome" => filter.outcome = Some(Outcome::parse(value).ok_or_else(wrong)?),
                "verified" => filter.verified = Some(yes()?),
                "evidence" => filter.evidence = Some(evidence(value).ok_or_else(wrong)?),
                "model" => filter.model = text(),
                "tool" => filter.tool = text(),
                "error" => filter.error = text(),
                "release" => filter.release = Some(if value == NO_RELEASE { String::new() } else { value.to_owned() }),
                "result" => filter.result = text(),
                "user" => filter.user_id = text(),
                "q" => filter.text = text(),
                "exceptions" => filter.exceptions = Some(yes()?),
                "priced" => filter.priced = Some(yes()?),
                "late" => filter.late = yes()?,
                "unmapped" => filter.unmapped = yes()?,
                "tests" => filter.with_tests = yes()?,
                "hours" => {
                    filter.in_hours = Some(match value {
                        "in" => true,
                        "out" => false,
                        _ => return Err(wrong()),
                    });
                }
                "min_s" => filter.min_cycle_ms = Some(scaled(value, 1e3).ok_or_else(wrong)?),
                "max_s" => filter.max_cycle_ms = Some(scaled(value, 1e3).ok_or_else(wrong)?),
                "min_usd" => filter.min_cost_nanos = Some(scaled(value, 1e9).ok_or_else(wrong)?),
                _ => {}
            }
        }
        if from.is_some() || to.is_some() {
            let period = Period { start: from.unwrap_or(EARLIEST), end: to.unwrap_or(LATEST) };
            if period.start >= period.end {
                return Err("the period ends before it begins".to_owned());
            }
            query.filter.period = Some(period);
        }
        Ok(query)
    }

    /// Writes the query, in the order of [`KEYS`].
    #[must_use]
    pub fn write(&self) -> Vec<(String, String)> {
        let filter = &self.filter;
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                pairs.push((key.to_owned(), value));
            }
        };
        let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
        put("client", self.client.map(|id| id.to_string()));
        match filter.workflows.as_deref() {
            None => {}
            Some([]) => put("workflow", Some("none".to_owned())),
            Some(ids) => ids.iter().for_each(|id| put("workflow", Some(id.to_string()))),
        }
        put("from", filter.period.map(|period| period.start.rfc3339()));
        put("to", filter.period.map(|period| period.end.rfc3339()));
        put("state", match (filter.finished, filter.provisional_at) {
            (_, Some((true, _))) => Some("provisional".to_owned()),
            (_, Some((false, _))) => Some("final".to_owned()),
            (Some(true), None) => Some("finished".to_owned()),
            (Some(false), None) => Some("open".to_owned()),
            (None, None) => None,
        });
        put("outcome", filter.outcome.map(|outcome| outcome.as_str().to_owned()));
        put("verified", filter.verified.map(yes));
        put("evidence", filter.evidence.map(|kind| kind.as_str().to_owned()));
        put("model", filter.model.clone());
        put("tool", filter.tool.clone());
        put("error", filter.error.clone());
        put("release", filter.release.clone().map(|release| if release.is_empty() { NO_RELEASE.to_owned() } else { release }));
        put("result", filter.result.clone());
        put("user", filter.user_id.clone());
        put("q", filter.text.clone());
        put("exceptions", filter.exceptions.map(yes));
        put("priced", filter.priced.map(yes));
        put("late", filter.late.then(|| yes(true)));
        put("unmapped", filter.unmapped.then(|| yes(true)));
        put("hours", filter.in_hours.map(|inside| if inside { "in" } else { "out" }.to_owned()));
        put("min_s", filter.min_cycle_ms.map(|ms| decimal(ms, 3)));
        put("max_s", filter.max_cycle_ms.map(|ms| decimal(ms, 3)));
        put("min_usd", filter.min_cost_nanos.map(|nanos| decimal(nanos, 9)));
        put("tests", filter.with_tests.then(|| yes(true)));
        pairs
    }
}

/// What stands in an address for runs whose sender names no release.
pub const NO_RELEASE: &str = "(none)";

/// An instant, or a local day: its first instant, or for an end the first instant after it.
fn instant(text: &str, zone: &TimeZone, is_end: bool) -> Option<Timestamp> {
    if text.len() == 10 {
        let date: Date = text.parse().ok()?;
        let period = Period::of_days(date, date, zone)?;
        return Some(if is_end { period.end } else { period.start });
    }
    Timestamp::parse(text)
}

fn evidence(word: &str) -> Option<EvidenceKind> {
    use EvidenceKind::{Explicit, Nothing, Rule, Score, Status, Verdict};
    [Verdict, Explicit, Score, Rule, Status, Nothing].into_iter().find(|kind| kind.as_str() == word)
}

/// A number of units as so many parts of a unit. `None` for what is not finite, negative or absurd.
fn scaled(text: &str, parts: f64) -> Option<i64> {
    let value = text.replace(',', ".").parse::<f64>().ok()? * parts;
    (0.0..9e15).contains(&value).then(|| value.round() as i64)
}

/// Parts of a unit as a decimal number, without zeros at its end.
fn decimal(parts: i64, places: usize) -> String {
    let digits = format!("{:0>width$}", parts.unsigned_abs(), width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

impl App {
    /// The filter of a query: a client's workflows in place of the client. What the actor may not see is left out by
    /// the use cases that take the filter.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is out of the actor's reach.
    pub async fn filter_of(&self, actor: &Actor, query: &RunQuery) -> Result<RunFilter, AppError> {
        let mut filter = query.filter.clone();
        if let Some(client) = query.client {
            let client = self.get_client(actor, client).await?;
            let of_client = |workflows: Vec<steward_core::workflow::Workflow>| -> Vec<WorkflowId> {
                workflows.into_iter().filter(|w| w.client_id == Some(client.id)).map(|w| w.id).collect()
            };
            let all = of_client(self.visible_workflows(actor, true).await?);
            filter.workflows = Some(match filter.workflows.take() {
                None => all,
                Some(wanted) => wanted.into_iter().filter(|id| all.contains(id)).collect(),
            });
        }
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &[(&str, &str)]) -> Result<RunQuery, String> {
        let pairs: Vec<_> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let zone = TimeZone::get("Europe/Berlin").expect("bundled");
        RunQuery::parse(&pairs, &zone, Timestamp(7))
    }

    #[test]
    fn days_are_days_of_the_zone_and_the_last_is_inside() {
        let period = parse(&[("from", "2026-10-01"), ("to", "2026-10-01")]).expect("valid").filter.period.expect("set");
        assert_eq!((period.start.rfc3339(), period.end.rfc3339()), ("2026-09-30T22:00:00Z".to_owned(), "2026-10-01T22:00:00Z".to_owned()));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_what_is_empty_left_out() {
        assert!(parse(&[("outcome", "excellent")]).is_err());
        assert!(parse(&[("min_s", "NaN")]).is_err());
        assert!(parse(&[("from", "2026-10-02"), ("to", "2026-10-01")]).is_err());
        assert_eq!(parse(&[("outcome", ""), ("sort", "cost")]), Ok(RunQuery::default()));
    }

    fn word() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9_:/.ü-]{1,20}"
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(
            ids in of(proptest::collection::vec(any::<u128>(), 0..4)),
            client in of(any::<u128>()),
            period in of((1_000_000_000_000_000_i64..1_500_000_000_000_000, 1_i64..1_000_000_000_000)),
            words in proptest::array::uniform6(of(word())),
            flags in proptest::array::uniform5(of(any::<bool>())),
            switches in proptest::array::uniform3(any::<bool>()),
            state in 0..5_usize,
            numbers in proptest::array::uniform3(of(0_i64..1_000_000_000_000)),
            outcome in of(0..5_usize),
        ) {
            let uuid = uuid::Uuid::from_u128;
            let now = Timestamp(7);
            let [model, tool, error, release, result, text] = words;
            let query = RunQuery {
                client: client.map(|id| ClientId::from_uuid(uuid(id))),
                filter: RunFilter {
                    workflows: ids.map(|ids| ids.into_iter().map(|id| WorkflowId::from_uuid(uuid(id))).collect()),
                    period: period.map(|(start, length)| Period { start: Timestamp(start), end: Timestamp(start + length) }),
                    finished: match state { 1 => Some(true), 2 => Some(false), _ => None },
                    provisional_at: match state { 3 => Some((true, now)), 4 => Some((false, now)), _ => None },
                    outcome: outcome.map(|at| Outcome::ALL[at]),
                    verified: flags[0],
                    evidence: flags[1].map(|rule| if rule { EvidenceKind::Rule } else { EvidenceKind::Nothing }),
                    model, tool, error, release, result, text,
                    user_id: None,
                    exceptions: flags[2],
                    priced: flags[3],
                    late: switches[0],
                    unmapped: switches[1],
                    in_hours: flags[4],
                    min_cycle_ms: numbers[0],
                    max_cycle_ms: numbers[1],
                    min_cost_nanos: numbers[2],
                    with_tests: switches[2],
                },
            };
            prop_assert_eq!(RunQuery::parse(&query.write(), &TimeZone::UTC, now), Ok(query));
        }
    }
}
