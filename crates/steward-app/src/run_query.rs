//! Which runs a list shows, as the query of an address: read and written in one place, so that a link in a report, a
//! page's filters and the API mean the same.
//!
//! Invariant: what [`RunQuery::write`] writes, [`RunQuery::read`] reads as the same query, in the same zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::outcome::{EvidenceKind, Outcome};
use steward_core::time::{EARLIEST, LATEST, Period, Timestamp};
use steward_store::tenant::RunFilter;

use crate::{Actor, App, AppError};

/// Every key that a query of runs may have.
pub const KEYS: [&str; 25] = [
    "client",
    "workflow",
    "from",
    "to",
    "state",
    "outcome",
    "verified",
    "evidence",
    "model",
    "tool",
    "error",
    "release",
    "result",
    "user",
    "q",
    "exceptions",
    "priced",
    "late",
    "unmapped",
    "unmapped_key",
    "hours",
    "min_s",
    "max_s",
    "min_usd",
    "tests",
];
/// The most characters of a name or a text to look for.
const MAX_CHARS: usize = 200;
/// The most workflows that one query names.
const MAX_WORKFLOWS: usize = 200;
/// What `workflow` says when the list shows no workflow's runs.
const NO_WORKFLOW: &str = "none";

/// Which runs a list shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunQuery {
    /// Only this client's workflows.
    pub client: Option<ClientId>,
    /// The rest.
    pub filter: RunFilter,
}

impl From<RunFilter> for RunQuery {
    fn from(filter: RunFilter) -> Self {
        Self { client: None, filter }
    }
}

impl RunQuery {
    /// Reads the pairs of a query. Keys that are not in [`KEYS`] are left to others; empty values do not limit.
    ///
    /// `now` is what *provisional* is judged by; `zone` is whose days the days are.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] with the key and what it takes.
    pub fn read<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Self, AppError> {
        let mut query = Self::default();
        let (mut from, mut to) = (None, None);
        for (key, value) in pairs {
            let (key, value) = (key.as_ref(), value.as_ref().trim());
            match key {
                _ if value.is_empty() => {}
                "from" => from = Some(read_instant(key, value, zone, false)?),
                "to" => to = Some(read_instant(key, value, zone, true)?),
                _ => query.read_pair(key, value, now)?,
            }
        }
        if from.is_some() || to.is_some() {
            let period = Period { start: from.unwrap_or(EARLIEST), end: to.unwrap_or(LATEST) };
            if period.start >= period.end {
                return Err(AppError::Invalid("“from” is not before “to”".to_owned()));
            }
            query.filter.period = Some(period);
        }
        Ok(query)
    }

    /// Takes one pair in.
    fn read_pair(&mut self, key: &str, value: &str, now: Timestamp) -> Result<(), AppError> {
        let filter = &mut self.filter;
        match key {
            "client" => self.client = Some(value.parse().map_err(|_| takes(key, "a client's id, cl_…"))?),
            "workflow" => read_workflow(filter, value)?,
            "state" => read_state(filter, value, now)?,
            "outcome" => {
                let words = "completed, escalated, failed, abandoned or unverified";
                filter.outcome = Some(Outcome::parse(value).ok_or_else(|| takes(key, words))?);
            }
            "evidence" => {
                let words = "verdict, explicit, score, rule, status or nothing";
                filter.evidence =
                    Some(EVIDENCE.into_iter().find(|kind| kind.as_str() == value).ok_or_else(|| takes(key, words))?);
            }
            "verified" => filter.verified = Some(yes_or_no(key, value)?),
            "exceptions" => filter.exceptions = Some(yes_or_no(key, value)?),
            "priced" => filter.priced = Some(yes_or_no(key, value)?),
            "late" => filter.late = yes_or_no(key, value)?,
            "unmapped" => filter.unmapped = yes_or_no(key, value)?,
            "unmapped_key" => filter.unmapped_key = Some(text(key, value)?),
            "tests" => filter.with_tests = yes_or_no(key, value)?,
            "hours" => {
                filter.in_hours = Some(match value {
                    "in" => true,
                    "out" => false,
                    _ => return Err(takes(key, "in or out")),
                });
            }
            "model" => filter.model = Some(text(key, value)?),
            "tool" => filter.tool = Some(text(key, value)?),
            "error" => filter.error = Some(text(key, value)?),
            "release" => filter.release = Some(text(key, value)?),
            "result" => filter.result = Some(text(key, value)?),
            "user" => filter.user_id = Some(text(key, value)?),
            "q" => filter.text = Some(text(key, value)?),
            "min_s" => filter.min_cycle_ms = Some(decimal(key, value, 3)?),
            "max_s" => filter.max_cycle_ms = Some(decimal(key, value, 3)?),
            "min_usd" => filter.min_cost_nanos = Some(decimal(key, value, 9)?),
            _ => {}
        }
        Ok(())
    }

    /// The pairs of the query, in the order of [`KEYS`].
    #[must_use]
    pub fn pairs(&self, zone: &TimeZone) -> Vec<(&'static str, String)> {
        let filter = &self.filter;
        let mut pairs: Vec<(&'static str, String)> = Vec::new();
        let mut add = |key, value: Option<String>| pairs.extend(value.map(|value| (key, value)));
        add("client", self.client.map(|id| id.to_string()));
        match filter.workflows.as_deref() {
            None => {}
            Some([]) => add("workflow", Some(NO_WORKFLOW.to_owned())),
            Some(ids) => ids.iter().for_each(|id| add("workflow", Some(id.to_string()))),
        }
        if let Some(Period { start, end }) = filter.period {
            // A side that is open need not be said, as long as the other is.
            add("from", (start != EARLIEST || end == LATEST).then(|| write_instant(start, zone, false)));
            add("to", (end != LATEST).then(|| write_instant(end, zone, true)));
        }
        add("state", state_of(filter).map(str::to_owned));
        add("outcome", filter.outcome.map(|outcome| outcome.as_str().to_owned()));
        add("verified", filter.verified.map(yes));
        add("evidence", filter.evidence.map(|kind| kind.as_str().to_owned()));
        add("model", filter.model.clone());
        add("tool", filter.tool.clone());
        add("error", filter.error.clone());
        add("release", filter.release.clone());
        add("result", filter.result.clone());
        add("user", filter.user_id.clone());
        add("q", filter.text.clone());
        add("exceptions", filter.exceptions.map(yes));
        add("priced", filter.priced.map(yes));
        add("late", filter.late.then(|| yes(true)));
        add("unmapped", filter.unmapped.then(|| yes(true)));
        add("unmapped_key", filter.unmapped_key.clone());
        add("hours", filter.in_hours.map(|inside| if inside { "in" } else { "out" }.to_owned()));
        add("min_s", filter.min_cycle_ms.map(|ms| write_decimal(ms, 3)));
        add("max_s", filter.max_cycle_ms.map(|ms| write_decimal(ms, 3)));
        add("min_usd", filter.min_cost_nanos.map(|nanos| write_decimal(nanos, 9)));
        add("tests", filter.with_tests.then(|| yes(true)));
        pairs
    }

    /// The query as it stands in an address behind the question mark; empty when nothing limits.
    #[must_use]
    pub fn write(&self, zone: &TimeZone) -> String {
        write_pairs(self.pairs(zone))
    }
}

/// Writes pairs as they stand in an address behind the question mark.
#[must_use]
pub fn write_pairs<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let encode = |text: &mut String, part: &str| {
        for byte in part.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                    text.push(char::from(byte))
                }
                other => drop(write!(text, "%{other:02X}")),
            }
        }
    };
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        encode(&mut text, key.as_ref());
        text.push('=');
        encode(&mut text, value.as_ref());
    }
    text
}

impl App {
    /// The filter that a query means to an actor: a client becomes its workflows.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is out of the actor's reach.
    pub async fn filter_of(&self, actor: &Actor, query: &RunQuery) -> Result<RunFilter, AppError> {
        let mut filter = query.filter.clone();
        if query.client.is_some() {
            let scope = crate::figures::Scope { client: query.client, ..Default::default() };
            let of_client: Vec<WorkflowId> =
                self.workflows_in(actor, &scope).await?.into_iter().map(|w| w.id).collect();
            filter.workflows = Some(match filter.workflows.take() {
                None => of_client,
                Some(wanted) => wanted.into_iter().filter(|id| of_client.contains(id)).collect(),
            });
        }
        Ok(filter)
    }
}

const EVIDENCE: [EvidenceKind; 6] = [
    EvidenceKind::Verdict,
    EvidenceKind::Explicit,
    EvidenceKind::Score,
    EvidenceKind::Rule,
    EvidenceKind::Status,
    EvidenceKind::Nothing,
];

fn takes(key: &str, what: &str) -> AppError {
    AppError::Invalid(format!("“{key}” takes {what}"))
}

fn read_workflow(filter: &mut RunFilter, value: &str) -> Result<(), AppError> {
    let workflows = filter.workflows.get_or_insert_default();
    if value != NO_WORKFLOW {
        let id = value.parse().map_err(|_| takes("workflow", "a workflow's id, wf_…"))?;
        if !workflows.contains(&id) {
            workflows.push(id);
        }
    }
    if workflows.len() > MAX_WORKFLOWS {
        return Err(AppError::Invalid(format!("“workflow” stands at most {MAX_WORKFLOWS} times")));
    }
    Ok(())
}

/// Reads RFC 3339, or a local day; of the period's end, the whole day is in it.
fn read_instant(key: &str, value: &str, zone: &TimeZone, is_end: bool) -> Result<Timestamp, AppError> {
    let refused = || takes(key, "a day such as 2026-10-31, or an instant in RFC 3339, between 2000 and 2100");
    let at = match value.parse::<Date>() {
        // A civil date is also the beginning of a date and time: only what is no longer is a day.
        Ok(day) if value.len() == 10 => {
            let day = if is_end { day.tomorrow().map_err(|_| refused())? } else { day };
            Timestamp::from_jiff(day.to_zoned(zone.clone()).map_err(|_| refused())?.timestamp())
        }
        _ => Timestamp::parse(value).ok_or_else(refused)?,
    };
    if at.is_plausible() || at == LATEST { Ok(at) } else { Err(refused()) }
}

fn write_instant(at: Timestamp, zone: &TimeZone, is_end: bool) -> String {
    let local = at.to_jiff().to_zoned(zone.clone());
    let midnight =
        local.date().to_zoned(zone.clone()).is_ok_and(|midnight| Timestamp::from_jiff(midnight.timestamp()) == at);
    let day = if is_end { local.date().yesterday().ok() } else { Some(local.date()) };
    match day.filter(|_| midnight) {
        Some(day) => day.to_string(),
        None => at.rfc3339(),
    }
}

fn read_state(filter: &mut RunFilter, value: &str, now: Timestamp) -> Result<(), AppError> {
    (filter.finished, filter.provisional_at) = match value {
        "open" => (Some(false), None),
        "ended" => (Some(true), None),
        "provisional" => (None, Some((true, now))),
        "final" => (None, Some((false, now))),
        _ => return Err(takes("state", "open, ended, provisional or final")),
    };
    Ok(())
}

fn state_of(filter: &RunFilter) -> Option<&'static str> {
    match (filter.provisional_at, filter.finished) {
        (Some((true, _)), _) => Some("provisional"),
        (Some((false, _)), _) => Some("final"),
        (None, Some(true)) => Some("ended"),
        (None, Some(false)) => Some("open"),
        (None, None) => None,
    }
}

fn yes_or_no(key: &str, value: &str) -> Result<bool, AppError> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(takes(key, "yes or no")),
    }
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn text(key: &str, value: &str) -> Result<String, AppError> {
    if value.chars().count() > MAX_CHARS {
        return Err(takes(key, "at most 200 characters"));
    }
    if value.chars().any(char::is_control) {
        return Err(takes(key, "text without control characters"));
    }
    Ok(value.to_owned())
}

/// A number that is not negative, in units of ten to the minus so many places; further places are refused.
fn decimal(key: &str, value: &str, places: usize) -> Result<i64, AppError> {
    let refused = || takes(key, &format!("a number such as 1.5, with at most {places} decimals"));
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let is_number = whole.len() + part.len() > 0 && part.len() <= places;
    if !is_number || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(refused());
    }
    format!("{whole}{part:0<places$}").parse().map_err(|_| refused())
}

fn write_decimal(value: i64, places: usize) -> String {
    let digits = format!("{:0>width$}", value.max(0), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

    fn zone() -> TimeZone {
        TimeZone::get("America/New_York").expect("bundled")
    }

    fn read(pairs: &[(&str, &str)]) -> Result<RunQuery, AppError> {
        RunQuery::read(pairs.iter().copied(), NOW, &zone())
    }

    #[test]
    fn days_are_whole_and_local() {
        let query = read(&[("from", "2026-10-01"), ("to", "2026-10-31")]).expect("a query");
        let october = steward_core::time::Month { year: 2026, month: 10 }.period(&zone());
        assert_eq!(query.filter.period, october);
        assert_eq!(query.write(&zone()), "from=2026-10-01&to=2026-10-31");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_key() {
        let long = "x".repeat(201);
        let bad = [
            ("client", "wf_00000000000000000000000000000001"),
            ("workflow", "all"),
            ("from", "yesterday"),
            ("from", "1969-12-31"),
            ("to", "2026-13-01"),
            ("state", "done"),
            ("outcome", "great"),
            ("verified", "true"),
            ("evidence", "none"),
            ("hours", "day"),
            ("min_s", "-1"),
            ("max_s", "1.2345"),
            ("min_usd", "NaN"),
            ("min_usd", "."),
            ("max_s", "99999999999999999999"),
            ("q", &long),
            ("q", "a\0b"),
            ("tests", "1"),
        ];
        for pair in bad {
            match read(&[pair]) {
                Err(AppError::Invalid(words)) => assert!(words.contains(pair.0), "{pair:?}: {words}"),
                other => panic!("{pair:?}: {other:?}"),
            }
        }
        assert!(read(&[("from", "2026-10-02"), ("to", "2026-10-01")]).is_err());
        assert_eq!(
            read(&[("outcome", " "), ("unknown", "1"), ("q", "")]).expect("nothing limits"),
            RunQuery::default()
        );
    }

    #[test]
    fn every_key_is_read() {
        let pairs = RunQuery {
            client: Some(ClientId::from_uuid(Uuid::from_u128(1))),
            filter: RunFilter {
                workflows: Some(vec![WorkflowId::from_uuid(Uuid::from_u128(2))]),
                model: Some("a&b=c".to_owned()),
                text: Some("50 % “off”".to_owned()),
                min_cost_nanos: Some(1_500_000),
                min_cycle_ms: Some(60_000),
                ..RunFilter::default()
            },
        }
        .write(&zone());
        assert_eq!(
            pairs,
            "client=cl_00000000000000000000000000000001&workflow=wf_00000000000000000000000000000002&model=a%26b%3Dc\
             &q=50%20%25%20%E2%80%9Coff%E2%80%9D&min_s=60&min_usd=0.0015"
        );
    }

    fn name() -> impl Strategy<Value = Option<String>> {
        of("[a-zA-Z0-9äß:&=%+?#/_-][a-zA-Z0-9äß:&=%+?#/_ -]{0,30}[a-zA-Z0-9äß:&=%+?#/_-]")
    }

    fn instants() -> impl Strategy<Value = Option<Period>> {
        let instant = prop_oneof![
            (EARLIEST.0..LATEST.0).prop_map(Timestamp),
            (0..36_000_i32).prop_map(|days| {
                let day = jiff::civil::date(2000, 2, 1).checked_add(jiff::Span::new().days(days)).expect("in range");
                Timestamp::from_jiff(day.to_zoned(zone()).expect("in range").timestamp())
            }),
            Just(EARLIEST),
            Just(LATEST),
        ];
        of((instant.clone(), instant)
            .prop_filter_map("in order", |(a, b)| (a != b).then(|| Period { start: a.min(b), end: a.max(b) })))
    }

    prop_compose! {
        fn queries()(
            client in of(any::<u128>()), workflows in of(prop::collection::btree_set(any::<u128>(), 0..4)), period in instants(),
            state in 0..5_u8, words in (name(), name(), name(), name(), name(), name(), name(), name()),
            outcome in of(0..5_usize), evidence in of(0..6_usize),
            flags in (of(any::<bool>()), of(any::<bool>()), of(any::<bool>()), of(any::<bool>()), any::<bool>(), any::<bool>(), any::<bool>()),
            numbers in (of(0..i64::MAX), of(0..i64::MAX), of(0..i64::MAX)),
        ) -> RunQuery {
            let (finished, provisional_at) = match state {
                0 => (None, None),
                1 => (Some(true), None),
                2 => (Some(false), None),
                3 => (None, Some((true, NOW))),
                _ => (None, Some((false, NOW))),
            };
            let (model, tool, error, release, result, user_id, text, unmapped_key) = words;
            let (verified, exceptions, priced, in_hours, late, unmapped, with_tests) = flags;
            let (min_cycle_ms, max_cycle_ms, min_cost_nanos) = numbers;
            RunQuery {
                client: client.map(|n| ClientId::from_uuid(Uuid::from_u128(n))),
                filter: RunFilter {
                    workflows: workflows.map(|set| set.into_iter().map(|n| WorkflowId::from_uuid(Uuid::from_u128(n))).collect()),
                    period, finished, provisional_at,
                    outcome: outcome.map(|n| Outcome::ALL[n]),
                    evidence: evidence.map(|n| EVIDENCE[n]),
                    verified, model, tool, error, release, result, user_id, text, exceptions, priced, late, unmapped, unmapped_key, in_hours,
                    min_cycle_ms, max_cycle_ms, min_cost_nanos, with_tests,
                },
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(query in queries()) {
            let pairs = query.pairs(&zone());
            prop_assert!(pairs.iter().all(|(key, _)| KEYS.contains(key)));
            prop_assert_eq!(RunQuery::read(pairs, NOW, &zone()).expect("its own words"), query);
        }
    }
}
