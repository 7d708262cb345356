//! The columns of an export, the same in every format.

use serde_json::Value;
use steward_core::run::RunState;
use steward_core::time::Timestamp;
use steward_store::tenant::RunRow;

use super::Names;

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_money: bool,
    pub(super) cell: fn(&RunRow, &Names) -> Cell,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Names,
    Time,
    Count,
    Flag,
    Usd,
}

/// What stands in a column of one run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Names(Vec<String>),
    Time(Timestamp),
    Count(i64),
    Flag(bool),
    /// Nano-US-dollars; `None` is unknown.
    Usd(Option<i64>),
}

impl Cell {
    /// The value as text that needs no quotes; unknown is empty, and never 0.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Names(names) => names.join("; "),
            Self::Time(at) => at.rfc3339(),
            Self::Count(n) => n.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Usd(nanos) => nanos.map(decimal).unwrap_or_default(),
        }
    }

    /// The value as JSON.
    pub(super) fn json(&self) -> String {
        match self {
            Self::Text(text) => Value::from(text.as_str()).to_string(),
            Self::Names(names) => Value::from(names.as_slice()).to_string(),
            Self::Time(_) => Value::from(self.plain()).to_string(),
            Self::Count(_) | Self::Flag(_) => self.plain(),
            Self::Usd(nanos) => nanos.map_or_else(|| "null".to_owned(), decimal),
        }
    }
}

/// Nano-units as a decimal number, exactly.
fn decimal(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, rest) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let rest = format!("{rest:09}");
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

const fn column(name: &'static str, kind: Kind, cell: fn(&RunRow, &Names) -> Cell) -> Column {
    Column { name, kind, is_money: false, cell }
}

const fn money(name: &'static str, kind: Kind, cell: fn(&RunRow, &Names) -> Cell) -> Column {
    Column { name, kind, is_money: true, cell }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// All columns in their order.
pub(super) static ALL: [Column; 26] = [
    column("run_id", Kind::Text, |r, _| Cell::Text(r.id.to_string())),
    column("client", Kind::Text, |r, n| text(n.by_workflow.get(&r.workflow_id).map_or("", |(_, client)| client))),
    column("workflow", Kind::Text, |r, n| text(n.by_workflow.get(&r.workflow_id).map_or("", |(workflow, _)| workflow))),
    column("workflow_id", Kind::Text, |r, _| Cell::Text(r.workflow_id.to_string())),
    column("started_at", Kind::Time, |r, _| Cell::Time(r.started_at)),
    column("ended_at", Kind::Time, |r, _| Cell::Time(r.ended_at)),
    column("state", Kind::Text, |r, n| text(state_of(r, n.now).as_str())),
    column("outcome", Kind::Text, |r, _| text(if r.finished { r.outcome.as_str() } else { "" })),
    column("evidence", Kind::Text, |r, _| text(if r.finished { r.evidence.as_str() } else { "" })),
    column("cycle_ms", Kind::Count, |r, _| Cell::Count(r.cycle_ms)),
    money("cost_usd", Kind::Usd, |r, _| Cell::Usd(r.cost_nanos)),
    money("cost_source", Kind::Text, |r, _| text(&r.cost_source)),
    column("tokens_in", Kind::Count, |r, _| Cell::Count(r.tokens_in)),
    column("tokens_out", Kind::Count, |r, _| Cell::Count(r.tokens_out)),
    column("steps", Kind::Count, |r, _| Cell::Count(r.n_steps.into())),
    column("model_calls", Kind::Count, |r, _| Cell::Count(r.n_model_calls.into())),
    column("tool_calls", Kind::Count, |r, _| Cell::Count(r.n_tool_calls.into())),
    column("exceptions", Kind::Count, |r, _| Cell::Count(r.n_exceptions.into())),
    column("first_error", Kind::Text, |r, _| text(&r.first_error)),
    column("release", Kind::Text, |r, _| text(&r.release)),
    column("title", Kind::Text, |r, _| text(&r.title)),
    column("user_id", Kind::Text, |r, _| text(&r.user_id)),
    column("models", Kind::Names, |r, _| Cell::Names(r.models.clone())),
    column("tools", Kind::Names, |r, _| Cell::Names(r.tools.clone())),
    column("results", Kind::Names, |r, _| Cell::Names(r.results.clone())),
    column("test", Kind::Flag, |r, _| Cell::Flag(r.test)),
];

fn state_of(row: &RunRow, now: Timestamp) -> RunState {
    match row.final_at {
        _ if !row.finished => RunState::Open,
        Some(at) if now < at => RunState::Provisional,
        _ => RunState::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_exactly_and_unknown_is_not_zero() {
        for (nanos, words) in [
            (0, "0"),
            (1, "0.000000001"),
            (1_500_000_000, "1.5"),
            (-20_000_000, "-0.02"),
            (i64::MIN, "-9223372036.854775808"),
        ] {
            assert_eq!(decimal(nanos), words);
        }
        assert_eq!(Cell::Usd(None).plain(), "");
        assert_eq!(Cell::Usd(None).json(), "null");
    }

    #[test]
    fn column_names_are_plain_and_differ() {
        let mut names: Vec<_> = ALL.iter().map(|c| c.name).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
