//! A figure on a card: never without its basis, and opening its definition and its receipts.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use steward_core::report::Change;

use super::html_safe;
use super::icon::Icon;
use crate::view::format::Shown;
use crate::view::html::{Escaped, Html};

/// A figure.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/figure.html")]
pub struct Figure {
    /// The metric's name: "Completion rate".
    pub name: String,
    /// Its definition's page; empty when it has none.
    pub definition: String,
    /// The value, or why there is none.
    pub value: Value,
    /// What is under it: "842 of 1,004 runs".
    pub basis: String,
    /// Its 95 % interval in words, for rates: "81.5 – 86.0 %".
    pub interval: String,
    /// Against the period before.
    pub comparison: Option<Comparison>,
    /// Its course, as an inline SVG.
    pub spark: Html,
    /// What is not known, in words: "164 unverified: between 70 and 86 %". Empty when all is known.
    pub coverage: String,
    /// The page with exactly the runs behind it; empty when it has none.
    pub receipts: String,
}

/// A figure's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A value.
    Known(Shown),
    /// None, and why: "no run has a cost".
    NoData(String),
}

impl Default for Value {
    fn default() -> Self {
        Self::NoData("nothing to count".to_owned())
    }
}

/// A value against the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// How much, without a sign: "2.1 pts", "12 %". Empty when it did not change.
    pub by: String,
    /// Which way it went.
    pub way: Way,
    /// Whether that is good.
    pub change: Change,
    /// What it was: "81.8 % in the 30 days before".
    pub before: String,
}

/// Which way a value went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Up.
    Up,
    /// Down.
    Down,
    /// Neither.
    #[default]
    Level,
}

impl Way {
    /// The way from one value to another.
    #[must_use]
    pub fn from_to(before: f64, now: f64) -> Self {
        if now > before {
            Self::Up
        } else if now < before {
            Self::Down
        } else {
            Self::Level
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (icon, way) = match self.way {
            Way::Up => (Icon::Up, "up "),
            Way::Down => (Icon::Fall, "down "),
            Way::Level => (Icon::Flat, ""),
        };
        let (class, verdict) = match self.change {
            Change::Better => ("better", ", which is better"),
            Change::Worse => ("worse", ", which is worse"),
            Change::Neither => ("", ""),
        };
        let by = if self.by.is_empty() { "no change" } else { self.by.as_str() };
        write!(
            f,
            r#"<span class="change {class}" title="{}">{icon}<span class="hide">{way}</span>{}<span class="hide">{verdict}</span></span>"#,
            Escaped(&self.before),
            Escaped(by)
        )
    }
}

impl HtmlSafe for Comparison {}
html_safe!(Figure);

/// Draws a value's course as a line of 96 by 24 with its last point marked; empty below two values.
///
/// `None` is a gap in the line.
#[must_use]
pub fn sparkline(values: &[Option<f64>]) -> Html {
    let known: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    if known.len() < 2 {
        return Html::default();
    }
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let x = |i: usize| 2.0 + 92.0 * i as f64 / (values.len() - 1) as f64;
    let y = |value: f64| if high > low { 21.0 - 18.0 * (value - low) / span } else { 12.0 };
    let (mut path, mut is_down, mut last) = (String::new(), false, (0.0, 0.0));
    for (i, value) in values.iter().enumerate() {
        match value.filter(|value| value.is_finite()) {
            Some(value) => {
                last = (x(i), y(value));
                let command = if is_down { 'L' } else { 'M' };
                path.push_str(&format!("{command}{:.1} {:.1}", last.0, last.1));
                is_down = true;
            }
            None => is_down = false,
        }
    }
    Html::trusted(format!(
        r#"<svg class="spark" viewBox="0 0 96 24" aria-hidden="true"><path class="line" d="{path}"/><circle class="end" cx="{:.1}" cy="{:.1}" r="2"/></svg>"#,
        last.0, last.1
    ))
}
