//! A chart with its numbers beside it: the picture comes ready as SVG, the table is what read-outs and the toggle show.

use askama::Template;
use steward_core::report::{Chart, ChartKind, SeriesRole};

use super::html_safe;
use crate::view::html::Html;

/// A chart.
///
/// The picture is an SVG with a `viewBox` and no width, height, style or script, in colours by role
/// (`class="c-good"` with `currentColor`, or `var(--good)` in a presentation attribute).
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/chart.html")]
pub struct ChartBlock {
    /// What it shows: "Runs by outcome, a day".
    pub title: String,
    /// More about it, in a few words: "95 % interval shaded".
    pub note: String,
    /// The picture; empty shows why there is none.
    pub svg: Html,
    /// Why there is no picture.
    pub no_data: String,
    /// What the colours mean; leave it empty when the picture names them itself.
    pub legend: Vec<Swatch>,
    /// Where the points lie, for reading out; `None` leaves it to the browser to find the lines of the grid.
    pub plot: Option<Plot>,
    /// Whether points stand in the middle of equal slots, as bars do, where `plot` does not say.
    pub is_in_slots: bool,
    /// What the first column of the table is: "Day".
    pub label_head: String,
    /// The heads of the values.
    pub heads: Vec<String>,
    /// The numbers: a label, and a value for each head.
    pub rows: Vec<(String, Vec<String>)>,
}

/// Where the points of a picture lie, as shares of its width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plot {
    /// The left edge of the plot.
    pub left: f64,
    /// The right edge of the plot.
    pub right: f64,
    /// Whether points stand in the middle of equal slots, as bars do, rather than from edge to edge.
    pub is_in_slots: bool,
}

/// What a colour means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swatch {
    /// The name.
    pub name: String,
    /// The colour's class: `c-good`, `c-3`.
    pub class: &'static str,
    /// Whether it is a line rather than an area.
    pub is_line: bool,
}

/// The class that gives a series its colour.
#[must_use]
pub const fn role_class(role: SeriesRole) -> &'static str {
    match role {
        SeriesRole::Accent | SeriesRole::Low | SeriesRole::High => "c-accent",
        SeriesRole::Good => "c-good",
        SeriesRole::Warn => "c-warn",
        SeriesRole::Bad => "c-bad",
        SeriesRole::Info => "c-info",
        SeriesRole::Muted => "c-muted",
    }
}

impl ChartBlock {
    fn points(&self) -> &'static str {
        let is_in_slots = self.plot.map_or(self.is_in_slots, |plot| plot.is_in_slots);
        if is_in_slots { "centre" } else { "edge" }
    }

    /// The width in which a picture is best drawn: its texts stay readable in a card and on a telephone.
    pub const WIDTH: u32 = 520;
    /// The height in which a picture is best drawn.
    pub const HEIGHT: u32 = 210;

    /// A block of a chart's data and its picture, its numbers written by `number`.
    #[must_use]
    pub fn of(chart: &Chart, label_head: &str, svg: Html, plot: Option<Plot>, number: impl Fn(f64) -> String) -> Self {
        let rows = chart.labels.iter().enumerate().map(|(i, label)| {
            let value =
                |values: &[Option<f64>]| values.get(i).copied().flatten().map_or_else(|| "no data".to_owned(), &number);
            (label.clone(), chart.series.iter().map(|series| value(&series.values)).collect())
        });
        let is_band = |role| matches!(role, SeriesRole::Low | SeriesRole::High);
        let legend = chart.series.iter().filter(|series| !is_band(series.role)).map(|series| Swatch {
            name: series.name.clone(),
            class: role_class(series.role),
            is_line: chart.kind == ChartKind::Line,
        });
        Self {
            title: chart.title.clone(),
            note: String::new(),
            svg,
            no_data: String::new(),
            legend: legend.collect(),
            plot,
            is_in_slots: chart.kind != ChartKind::Line,
            label_head: label_head.to_owned(),
            heads: chart.series.iter().map(|series| series.name.clone()).collect(),
            rows: rows.collect(),
        }
    }
}

html_safe!(ChartBlock);
