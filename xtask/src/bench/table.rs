//! Figures with their bars, and the table that they come to.

use std::fmt;

use anyhow::Error;
use serde_json::{Value, json};

/// What must be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bar) => value >= bar,
            Self::AtMost(bar) => value <= bar,
        }
    }
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    SpansPerSecond,
    Seconds,
    Milliseconds,
    Megabytes,
    /// How many times as much.
    Times,
}

impl Unit {
    fn number(self, value: f64) -> String {
        let decimals = match self {
            Self::Seconds => 2,
            // Below this, a whole number would hide a part that matters.
            Self::Milliseconds | Self::SpansPerSecond if value < 100.0 => 1,
            _ => 0,
        };
        let text = format!("{value:.decimals$}");
        match text.split_once('.') {
            Some((whole, rest)) => format!("{}.{rest}", with_commas(whole)),
            None => with_commas(&text),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpansPerSecond => "spans/s",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
            Self::Times => "×",
        })
    }
}

/// A number as people read it: 1,000,000.
pub(super) fn grouped(number: u64) -> String {
    with_commas(&number.to_string())
}

fn with_commas(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Rows in the order in which they were first named.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    unit: Unit,
    bar: Option<Bar>,
    /// One of each round that came to one.
    samples: Vec<f64>,
    /// Why a round came to none.
    failures: Vec<String>,
}

impl Table {
    /// Names a row before there are figures for it.
    pub(super) fn row(&mut self, what: &str, unit: Unit, bar: Option<Bar>) {
        self.rows.push(Row { what: what.to_owned(), unit, bar, samples: Vec::new(), failures: Vec::new() });
    }

    /// Adds the figure of one round.
    pub(super) fn add(&mut self, what: &str, unit: Unit, value: f64) {
        self.row_of(what, unit).samples.push(value);
    }

    /// Remembers why a round has no figure.
    pub(super) fn fail(&mut self, what: &str, error: &Error) {
        let reason = format!("{error:#}");
        println!("{what}: {reason}");
        self.row_of(what, Unit::Times).failures.push(reason);
    }

    fn row_of(&mut self, what: &str, unit: Unit) -> &mut Row {
        let at = self.rows.iter().position(|row| row.what == what).unwrap_or_else(|| {
            self.row(what, unit, None);
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    /// Whether nothing failed and every bar was met.
    pub(super) fn all_met(&self) -> bool {
        self.rows.iter().all(|row| row.met() != Some(false))
    }

    /// The table as Markdown: the median, and what lay around it.
    pub(super) fn markdown(&self) -> String {
        let mut text = "| what | bar | measured | met |\n|---|---|---|---|\n".to_owned();
        for row in &self.rows {
            let bar = match row.bar {
                Some(Bar::AtLeast(bar)) => format!("at least {} {}", row.unit.number(bar), row.unit),
                Some(Bar::AtMost(bar)) => format!("at most {} {}", row.unit.number(bar), row.unit),
                None => "–".to_owned(),
            };
            let met = match row.met() {
                Some(true) => "yes",
                Some(false) => "no",
                None => "–",
            };
            text.push_str(&format!("| {} | {bar} | {} | {met} |\n", row.what, row.measured()));
        }
        text
    }

    /// The table for programs, with the figure of each round.
    pub(super) fn json(&self) -> Value {
        self.rows
            .iter()
            .map(|row| {
                let (at_least, at_most) = match row.bar {
                    Some(Bar::AtLeast(bar)) => (Some(bar), None),
                    Some(Bar::AtMost(bar)) => (None, Some(bar)),
                    None => (None, None),
                };
                json!({
                    "what": row.what,
                    "unit": row.unit.to_string(),
                    "at_least": at_least,
                    "at_most": at_most,
                    "median": median(&row.samples),
                    "rounds": row.samples,
                    "failures": row.failures,
                    "met": row.met(),
                })
            })
            .collect()
    }
}

impl Row {
    /// Whether the bar is met, where there is one. A round that failed is never outvoted by the others.
    fn met(&self) -> Option<bool> {
        if !self.failures.is_empty() {
            return Some(false);
        }
        let bar = self.bar?;
        Some(median(&self.samples).is_some_and(|value| bar.is_met(value)))
    }

    fn measured(&self) -> String {
        let mut text = match median(&self.samples) {
            None => "not measured".to_owned(),
            Some(middle) => {
                let least = self.samples.iter().copied().fold(f64::INFINITY, f64::min);
                let most = self.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let (least, middle, most) = (self.unit.number(least), self.unit.number(middle), self.unit.number(most));
                if least == most {
                    format!("{middle} {}", self.unit)
                } else {
                    format!("{middle} {} ({least} to {most})", self.unit)
                }
            }
        };
        if let Some(reason) = self.failures.first() {
            let reason = reason.lines().next().unwrap_or_default().replace('|', "/");
            text.push_str(&format!("; {} failed: {reason}", self.failures.len()));
        }
        text
    }
}

/// The middle of an odd number of samples, or between the two in the middle.
fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    Some(if sorted.len() % 2 == 1 { upper } else { (sorted[half - 1] + upper) / 2.0 })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn last_row(table: &Table) -> String {
        table.markdown().lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn a_bar_is_met_by_the_median_alone() {
        let mut table = Table::default();
        table.row("intake", Unit::SpansPerSecond, Some(Bar::AtLeast(40_000.0)));
        table.add("intake", Unit::SpansPerSecond, 39_999.4);
        assert_eq!(last_row(&table), "| intake | at least 40,000 spans/s | 39,999 spans/s | no |");
        assert!(!table.all_met());
        table.add("intake", Unit::SpansPerSecond, 41_000.0);
        table.add("intake", Unit::SpansPerSecond, 1_234_567.0);
        let row = "| intake | at least 40,000 spans/s | 41,000 spans/s (39,999 to 1,234,567) | yes |";
        assert_eq!(last_row(&table), row);
        assert!(table.all_met());
    }

    #[test]
    fn a_most_is_met_from_below() {
        let mut table = Table::default();
        table.row("lag", Unit::Seconds, Some(Bar::AtMost(2.0)));
        table.add("lag", Unit::Seconds, 0.125);
        assert_eq!(last_row(&table), "| lag | at most 2.00 s | 0.12 s | yes |");
        table.add("lag", Unit::Seconds, 9.0);
        assert!(!table.all_met());
    }

    #[test]
    fn a_round_that_failed_is_not_outvoted() {
        let mut table = Table::default();
        table.row("size", Unit::Megabytes, Some(Bar::AtMost(60.0)));
        table.add("size", Unit::Megabytes, 50.0);
        table.fail("size", &anyhow!("it | is\ngone"));
        assert_eq!(last_row(&table), "| size | at most 60 MB | 50 MB; 1 failed: it / is | no |");
        assert!(!table.all_met());
        assert_eq!(table.json()[0]["failures"][0], "it | is\ngone");
    }

    #[test]
    fn what_has_no_bar_is_neither_met_nor_missed() {
        let mut table = Table::default();
        table.add("a peer", Unit::SpansPerSecond, 85.94);
        assert_eq!(last_row(&table), "| a peer | – | 85.9 spans/s | – |");
        assert!(table.all_met());
        assert_eq!(table.json()[0]["met"], Value::Null);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (10_000, "10,000"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(Unit::Seconds.number(12_345.678), "12,345.68");
        assert_eq!(Unit::Milliseconds.number(99.94), "99.9");
        assert_eq!(Unit::Milliseconds.number(100.0), "100");
    }
}
