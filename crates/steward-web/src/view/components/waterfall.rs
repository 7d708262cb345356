//! The steps of a run over time: when each began and how long it took, inside which other step.

use askama::Template;
use steward_core::step::StepKind;

use super::html_safe;
use super::icon::Icon;

/// The steps of a run over time.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/waterfall.html")]
pub struct Waterfall {
    /// How long all of it took, in words.
    pub total: String,
    /// The steps, parents before children, as they began.
    pub steps: Vec<Lane>,
    /// How many steps were left out of a very long run, in words; empty shows all.
    pub left_out: String,
}

/// A step over time.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Its id on the page.
    pub id: String,
    /// What it leads to: its details in the conversation.
    pub href: String,
    /// What it does.
    pub kind: StepKind,
    /// Its name.
    pub name: String,
    /// More on hover: model, tokens, cost, error.
    pub title: String,
    /// How deep it lies.
    pub depth: usize,
    /// When it began, as a share of the whole.
    pub from: f64,
    /// How long it took, as a share of the whole.
    pub length: f64,
    /// How long it took, in words.
    pub duration: String,
    /// Whether it went wrong.
    pub failed: bool,
}

impl Lane {
    fn icon(&self) -> Icon {
        if self.failed { Icon::Failed } else { kind_icon(self.kind) }
    }

    fn depth_class(&self) -> String {
        format!("depth-{}", self.depth.min(6))
    }

    fn x(&self) -> String {
        format!("{:.1}", share(self.from) * 1_000.0)
    }

    /// At least as wide as can be seen, and never past the end.
    fn width(&self) -> String {
        let from = share(self.from) * 1_000.0;
        format!("{:.1}", (share(self.length) * 1_000.0).max(4.0).min((1_000.0 - from).max(4.0)))
    }
}

fn share(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
}

/// The icon of a kind of step.
#[must_use]
pub const fn kind_icon(kind: StepKind) -> Icon {
    match kind {
        StepKind::Model => Icon::Model,
        StepKind::Tool => Icon::Tool,
        StepKind::Embedding => Icon::Embedding,
        StepKind::Retrieval => Icon::Retrieval,
        StepKind::Agent => Icon::Agent,
        StepKind::Chain => Icon::Chain,
        StepKind::Guardrail => Icon::Guardrail,
        StepKind::Other => Icon::Step,
    }
}

html_safe!(Waterfall);
