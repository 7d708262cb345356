//! A document of the figures and words of a month.

use serde::{Deserialize, Serialize};
use steward_core::ids::{ClientId, ReportId};
use steward_core::metrics;
use steward_core::report::{ReportDocument, ReportFigure, ReportWorkflow};
use steward_core::time::Month;

use super::charts;
use super::figures::{TOTAL_COST, View, named};
use super::material::{Material, WorkflowMaterial};
use super::narrative::Narrator;
use super::receipts::{Book, Receipts};
use super::words;
use crate::AppError;

/// Which report a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue {
    /// The report; its receipts' addresses name it.
    pub id: ReportId,
    /// The client.
    pub client: ClientId,
    /// The month.
    pub month: Month,
    /// 1 for the first; each correction counts one up.
    pub revision: u32,
    /// Whether it is still a draft.
    pub draft: bool,
}

/// What the operator wrote over the drafted words. `None` leaves what the rules drafted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edits {
    /// The sentence or two that is read first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// What was handled and what it was worth, in paragraphs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrative: Option<Vec<String>>,
    /// What changed, a line each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<String>>,
    /// What went wrong and what was done, a line each; never none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<String>>,
    /// What is needed of the client, a line each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<Vec<String>>,
    /// Metrics that are left out, by id: some of [`HIDEABLE`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden_figures: Vec<String>,
    /// For a correction: what it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<String>,
}

/// Figures that a report may leave out, by id. Runs, coverage and what came of the runs always stand in it.
pub const HIDEABLE: [&str; 11] = [
    "exception_rate",
    "abandonment_rate",
    "cycle_time_p50",
    "cycle_time_p90",
    "value_delivered",
    "run_cost",
    TOTAL_COST,
    "cost_per_completed_run",
    "return",
    "net_time_saved",
    "results",
];

/// The most characters of a headline or of a line of a list, of a paragraph, and the most of each.
const MAX_LINE_CHARS: usize = 600;
const MAX_PARAGRAPH_CHARS: usize = 2_000;
const MAX_PARAGRAPHS: usize = 12;
const MAX_LIST: usize = 30;
/// The most changed figures that a correction lists.
const MAX_CHANGED: usize = 12;

/// The name of a figure that may be left out, for the form that does.
#[must_use]
pub fn hideable_name(id: &str) -> &'static str {
    named(id).0
}

impl Edits {
    /// Brings what a form sent into shape: lines trimmed, empty ones left out, an empty headline taken back.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] for what is too long, for an unknown figure, and for an account of problems without a line.
    pub fn checked(self) -> Result<Self, AppError> {
        let text = |text: Option<String>, what: &str, max: usize| match text.as_deref().map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) if text.chars().count() > max => {
                Err(AppError::Invalid(format!("{what} has at most {} characters", words::count(max as i64))))
            }
            Some(text) => Ok(Some(words::clean(text, max))),
        };
        let lines = |lines: Option<Vec<String>>, what: &str, max: usize, max_lines: usize| {
            let Some(lines) = lines else { return Ok(None) };
            let lines = lines.into_iter().map(|line| text(Some(line), &format!("a line of {what}"), max));
            let lines: Vec<String> = lines.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
            if lines.len() > max_lines {
                return Err(AppError::Invalid(format!("{what} has at most {max_lines} lines")));
            }
            Ok(Some(lines))
        };
        let problems = lines(self.problems, "what went wrong", MAX_LINE_CHARS, MAX_LIST)?;
        if problems.as_ref().is_some_and(Vec::is_empty) {
            return Err(AppError::Invalid(
                "what went wrong is never left out: write at least one line, or take the drafted ones".to_owned(),
            ));
        }
        let mut hidden_figures = self.hidden_figures;
        hidden_figures.sort_unstable();
        hidden_figures.dedup();
        if let Some(unknown) = hidden_figures.iter().find(|id| !HIDEABLE.contains(&id.as_str())) {
            return Err(AppError::Invalid(format!("“{}” is no figure that can be left out", words::name(unknown))));
        }
        Ok(Self {
            headline: text(self.headline, "the headline", MAX_LINE_CHARS)?,
            narrative: lines(self.narrative, "the narrative", MAX_PARAGRAPH_CHARS, MAX_PARAGRAPHS)?,
            changes: lines(self.changes, "what changed", MAX_LINE_CHARS, MAX_LIST)?,
            problems,
            asks: lines(self.asks, "what is needed", MAX_LINE_CHARS, MAX_LIST)?,
            hidden_figures,
            correction: text(self.correction, "the correction", MAX_PARAGRAPH_CHARS)?,
        })
    }

    /// Writes the operator's words over the drafted ones.
    pub(super) fn apply(&self, document: &mut ReportDocument) {
        let over = |drafted: &mut Vec<String>, written: &Option<Vec<String>>| {
            if let Some(written) = written {
                drafted.clone_from(written);
            }
        };
        if let Some(headline) = &self.headline {
            document.headline.clone_from(headline);
        }
        over(&mut document.narrative, &self.narrative);
        over(&mut document.changes, &self.changes);
        over(&mut document.problems, &self.problems);
        over(&mut document.asks, &self.asks);
        if let (Some(words), Some(figures)) = (&self.correction, &document.correction) {
            let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
            document.correction = Some(format!("{words}{stop} {figures}"));
        }
    }
}

/// Makes the document as the rules draft it, with hidden figures left out.
///
/// `published` is the revision that it corrects.
pub(super) fn document(
    material: &Material,
    issue: &Issue,
    hidden: &[String],
    public_url: &str,
    published: Option<&ReportDocument>,
) -> (ReportDocument, Receipts) {
    let mut book = Book::new(format!("{public_url}/r/{}", issue.id));
    let client = View::of_client(material);
    let narrator = Narrator { material, client: &client, hidden };
    let mut used = Vec::new();
    let key_figures = key_figures(&client, hidden, &mut book, &mut used);
    let workflows = material.workflows.iter().map(|w| page(material, w, &narrator, &mut book, &mut used)).collect();
    let mut document = ReportDocument {
        brand: material.agency.brand.clone(),
        client: material.client.name.clone(),
        agency: material.agency.name.clone(),
        period_words: material.month.in_words(),
        period: material.period,
        time_zone: material.agency.time_zone.clone(),
        revision: issue.revision,
        correction: None,
        made_at: material.now,
        draft: issue.draft,
        headline: narrator.headline(),
        narrative: narrator.paragraphs(),
        key_figures,
        changes: narrator.changes(),
        problems: narrator.problems(),
        asks: narrator.asks(),
        workflows,
        data_gaps: narrator.gaps(),
        definitions: used
            .into_iter()
            .map(|id| named(id))
            .map(|(name, words)| (name.to_owned(), words.to_owned()))
            .collect(),
        check_at: format!("{public_url}/reports/{}", issue.id),
    };
    if let Some(published) = published {
        document.correction = Some(changed_figures(published, &document));
    }
    (document, book.close())
}

/// The figures of the first page, at most six: how much, how well, what it brought, what it was worth, what it cost.
fn key_figures(
    client: &View<'_>,
    hidden: &[String],
    book: &mut Book,
    used: &mut Vec<&'static str>,
) -> Vec<ReportFigure> {
    let shows = |id: &str| !hidden.iter().any(|h| h == id);
    let has_results = !crate::figures::results_of(client.sums).is_empty() && shows("results");
    let has_cost = client.value("run_cost").is_some() || client.retainer.is_some();
    let wanted: [(&'static str, bool); 10] = [
        ("runs", true),
        ("completion_rate", true),
        ("results", has_results),
        ("escalation_rate", !has_results),
        ("value_delivered", client.value("value_delivered").is_some()),
        (TOTAL_COST, has_cost && client.retainer.is_some()),
        ("run_cost", has_cost && client.retainer.is_none()),
        ("return", client.value("return").is_some()),
        ("cycle_time_p50", client.value("cycle_time_p50").is_some()),
        ("coverage", client.sums.runs() > 0),
    ];
    let wanted = wanted.into_iter().filter(|(id, wanted)| *wanted && shows(id)).map(|(id, _)| id).take(6);
    wanted
        .filter_map(|id| {
            let figure = if id == "results" { client.top_result(book) } else { client.figure(id, book) }?;
            used.push(id);
            Some(figure)
        })
        .collect()
}

fn page(
    material: &Material,
    workflow: &WorkflowMaterial,
    narrator: &Narrator<'_>,
    book: &mut Book,
    used: &mut Vec<&'static str>,
) -> ReportWorkflow {
    let view = View::of_workflow(material, workflow);
    let shows = |id: &str| !narrator.hidden.iter().any(|h| h == id);
    let has = |id: &str| view.value(id).is_some();
    let wanted: [(&'static str, bool); 16] = [
        ("runs", true),
        ("completion_rate", true),
        // What people found stands there once somebody has looked at a sample.
        ("audited_completion_rate", has("audited_completion_rate")),
        ("coverage", true),
        ("escalation_rate", true),
        ("failure_rate", true),
        ("abandonment_rate", view.value("abandonment_rate").is_some_and(|rate| rate > 0.0)),
        ("exception_rate", true),
        ("cycle_time_p50", true),
        ("cycle_time_p90", true),
        ("value_delivered", has("value_delivered")),
        ("run_cost", true),
        ("cost_per_completed_run", true),
        // What people did stands there once somebody has reviewed something.
        ("preventable_escalation_rate", has("preventable_escalation_rate")),
        ("review_time", has("review_time")),
        ("cleanup_burden", has("cleanup_burden")),
    ];
    let saved = ("net_time_saved", has("net_time_saved"));
    let wanted = wanted.into_iter().chain([saved]).filter(|(id, wanted)| *wanted && shows(id)).map(|(id, _)| id);
    let figures = wanted
        .filter_map(|id| {
            let figure = view.figure(id, book)?;
            if !used.contains(&id) {
                used.push(id);
            }
            Some(figure)
        })
        .collect();
    let results = if shows("results") { view.results(workflow, book) } else { Vec::new() };
    if !results.is_empty() && !used.contains(&"results") {
        used.push("results");
    }
    ReportWorkflow {
        name: words::name(&workflow.workflow.name),
        summary: narrator.summary_of(workflow),
        figures,
        results,
        charts: charts::of_workflow(material, workflow, shows("run_cost")),
        failures: narrator.failures_of(workflow),
    }
}

/// Every figure of a document with its value, named so that it is found again in another revision.
fn values(document: &ReportDocument) -> Vec<(String, &str)> {
    let mut values: Vec<(String, &str)> =
        document.key_figures.iter().map(|figure| (figure.name.clone(), figure.value.as_str())).collect();
    for workflow in &document.workflows {
        let figures = workflow.figures.iter().map(|figure| (&figure.name, figure.value.as_str()));
        let results = workflow.results.iter().map(|result| (&result.name, result.count.as_str()));
        values.extend(figures.chain(results).map(|(name, value)| (format!("{}, {name}", workflow.name), value)));
    }
    values
}

/// What differs between a publication and what corrects it, in words.
fn changed_figures(published: &ReportDocument, document: &ReportDocument) -> String {
    let before = values(published);
    let mut lines: Vec<String> = Vec::new();
    let mut told: Vec<(String, &str, &str)> = Vec::new();
    for (name, value) in values(document) {
        let Some((_, was)) = before.iter().find(|(known, _)| *known == name) else { continue };
        // With one workflow its page tells the first page's figures again.
        let bare = name.rsplit_once(", ").map_or(name.as_str(), |(_, bare)| bare).to_owned();
        if *was == value || told.iter().any(|known| *known == (bare.clone(), *was, value)) {
            continue;
        }
        lines.push(format!("{name}: {was} → {value}"));
        told.push((bare, was, value));
    }
    let more = lines.len().saturating_sub(MAX_CHANGED);
    lines.truncate(MAX_CHANGED);
    match (lines.is_empty(), more) {
        (true, _) => format!("No figure differs from revision {}.", published.revision),
        (false, 0) => format!("Figures that differ from revision {}: {}.", published.revision, lines.join("; ")),
        (false, more) => {
            format!("Figures that differ from revision {}: {}; and {more} more.", published.revision, lines.join("; "))
        }
    }
}

/// The metrics of a scope as JSON, for programs.
pub(super) fn figures_json(now: &[metrics::Figure], before: &[metrics::Figure]) -> Vec<serde_json::Value> {
    now.iter()
        .map(|figure| {
            let definition = metrics::definition(&figure.id);
            serde_json::json!({
                "id": figure.id,
                "name": definition.map(|d| d.name),
                "unit": definition.map(|d| d.unit),
                "value": figure.value,
                "numerator": figure.numerator,
                "denominator": figure.denominator,
                "low": figure.low,
                "high": figure.high,
                "bounds": figure.bounds,
                "note": figure.note,
                "before": before.iter().find(|f| f.id == figure.id).and_then(|f| f.value),
            })
        })
        .collect()
}
