//! The monthly report as a document: one model from which HTML and PDF are made.
//!
//! A published report is this document, frozen. Nothing in it is looked up again: texts, figures,
//! charts and receipts stand in it as they were when it was published.

use serde::{Deserialize, Serialize};

use crate::clients::Brand;
use crate::time::{Period, Timestamp};

/// A frozen account of a period to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportDocument {
    /// Whose report it is: name, colour, logo, paper.
    pub brand: Brand,
    /// The client's name.
    pub client: String,
    /// The agency's name.
    pub agency: String,
    /// The period in words: "October 2026".
    pub period_words: String,
    /// The period.
    pub period: Period,
    /// The zone whose days the period counts, by IANA name.
    pub time_zone: String,
    /// 1 for the first publication; each correction counts one up.
    pub revision: u32,
    /// For a correction: what it changes, in the operator's words.
    pub correction: Option<String>,
    /// When it was made; the draft's or the publication's.
    pub made_at: Timestamp,
    /// Whether it is still a draft; marked on every page.
    pub draft: bool,
    /// The sentence or two that a busy owner reads first.
    pub headline: String,
    /// What it handled, in paragraphs.
    pub narrative: Vec<String>,
    /// The figures of the first page, at most six.
    pub key_figures: Vec<ReportFigure>,
    /// What changed since the month before, a line each.
    pub changes: Vec<String>,
    /// What went wrong and what was done. Never empty: it says when nothing did.
    pub problems: Vec<String>,
    /// What is needed of the client, a line each; may be empty.
    pub asks: Vec<String>,
    /// A page for each workflow.
    pub workflows: Vec<ReportWorkflow>,
    /// Gaps in the data, said plainly; empty when there are none.
    pub data_gaps: Vec<String>,
    /// What each figure means, name and definition, in the order of first use.
    pub definitions: Vec<(String, String)>,
    /// Where the figures can be checked: the address of this report's page.
    pub check_at: String,
}

/// One figure with its denominator, its comparison and its receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportFigure {
    /// The metric's name, as people read it.
    pub name: String,
    /// The value with its unit: "83.9 %", or "no data".
    pub value: String,
    /// What is under it: "842 of 1,004", or why there is no data.
    pub basis: String,
    /// The 95 % interval in words, for rates: "81.5 – 86.0 %".
    pub interval: Option<String>,
    /// The month before: "81.2 % in September".
    pub before: Option<String>,
    /// Whether the change is good, bad or neither.
    pub change: Change,
    /// The receipt.
    pub receipt: Option<Receipt>,
}

/// Which way a figure moved, from the reader's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// For the better.
    Better,
    /// For the worse.
    Worse,
    /// Neither, or nothing to compare with.
    #[default]
    Neither,
}

/// What opens the runs behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// A short code, unique in the report: "R7".
    pub code: String,
    /// The full address that opens exactly the runs behind the figure.
    pub url: String,
    /// How many runs that are.
    pub n_runs: u64,
}

/// A workflow's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportWorkflow {
    /// The workflow's name.
    pub name: String,
    /// What came of it in a sentence or two.
    pub summary: String,
    /// The figures.
    pub figures: Vec<ReportFigure>,
    /// The results, in the client's words: name, count, value with currency or empty, share inside business hours in words.
    pub results: Vec<ReportResult>,
    /// Charts, at most three.
    pub charts: Vec<Chart>,
    /// What failed most, a line each: "book_appointment: timeout, 14 times".
    pub failures: Vec<String>,
}

/// A counted result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportResult {
    /// The result's name.
    pub name: String,
    /// How many.
    pub count: String,
    /// In business hours and outside, in words: "412 in hours, 96 outside".
    pub hours: String,
    /// Its value with currency; empty when none is agreed.
    pub value: String,
    /// The month before, in words.
    pub before: Option<String>,
    /// The receipt.
    pub receipt: Option<Receipt>,
}

/// A chart as data: the same picture on page and on paper, with the table beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// What it shows: "Runs by outcome, a day".
    pub title: String,
    /// The kind.
    pub kind: ChartKind,
    /// The unit of the values: "runs", "%", "s", "$".
    pub unit: String,
    /// The labels along the x axis.
    pub labels: Vec<String>,
    /// The series, each as long as `labels`; `None` is a gap.
    pub series: Vec<Series>,
    /// Vertical marks: index into `labels`, and the name.
    #[serde(default)]
    pub marks: Vec<(usize, String)>,
}

/// The kinds of charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// A line; a second and third series named `low` and `high` are its interval band.
    Line,
    /// Bars for counts.
    Bars,
    /// Stacked bars, as outcomes.
    StackedBars,
}

/// One series of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name: "completed".
    pub name: String,
    /// The role of its colour.
    pub role: SeriesRole,
    /// The values.
    pub values: Vec<Option<f64>>,
}

/// The role that gives a series its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesRole {
    /// The main thing.
    Accent,
    /// What is good.
    Good,
    /// What needs care.
    Warn,
    /// What is bad.
    Bad,
    /// What informs.
    Info,
    /// What stands behind: the previous period, the unknown.
    Muted,
    /// The low end of an interval band.
    Low,
    /// The high end of an interval band.
    High,
}
