//! Which completed runs of a workflow go to review: set as fields, tried over the last days, and then saved.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::sampling::{Sampling, SamplingPreview};
use steward_core::ids::WorkflowId;
use steward_core::sampling::{MAX_A_DAY, OTHERS, SamplingRule, Strata, evidence_in_words, percent_of};
use steward_core::workflow::Workflow;

use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::form::{Choice, Field};
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Time};
use crate::view::html::Link;
use crate::view::page::Page;
use crate::view::pages::sampling::{SamplingForecast, SamplingPage};
use crate::view::pages::workflow::workflow_tabs;
use crate::{Routes, WebState};

use super::around::{Visit, mend, put_errors};
use super::workflow::workflow_shell;

/// A workflow's sampling.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/workflows/{id}/sampling", show).post("/workflows/{id}/sampling", edit)
}

/// What the fields hold where nothing is sampled yet.
const SUGGESTED: SamplingRule = SamplingRule { share: 0.05, strata: Strata::None, at_least: 0, at_most: 20 };
/// Parts that a preview lists.
const MAX_PARTS: usize = 20;

/// The fields as typed.
struct Typed {
    share: String,
    strata: String,
    at_least: String,
    at_most: String,
}

impl Typed {
    fn of(rule: &SamplingRule) -> Self {
        Self {
            share: percent_of(rule.share).trim_end_matches(" %").to_owned(),
            strata: rule.strata.as_str().to_owned(),
            at_least: rule.at_least.to_string(),
            at_most: rule.at_most.to_string(),
        }
    }

    fn posted(form: &Fields) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
        Self { share: text("share"), strata: text("strata"), at_least: text("at_least"), at_most: text("at_most") }
    }

    /// The rule of the fields, or what is wrong with which.
    fn read(&self) -> Result<SamplingRule, Vec<(&'static str, String)>> {
        let mut errors = Vec::new();
        let share = self.share.replace(',', ".").parse::<f64>().ok().filter(|n| (0.1..=100.0).contains(n));
        if share.is_none() {
            errors.push(("share", "A share lies between 0.1 and 100 %.".to_owned()));
        }
        let mut whole = |name: &'static str, text: &str, least: u32| {
            let n = text.parse::<u32>().ok().filter(|n| (least..=MAX_A_DAY).contains(n));
            if n.is_none() {
                errors.push((name, format!("A whole number from {least} to {MAX_A_DAY}.")));
            }
            n.unwrap_or_default()
        };
        let at_least = if self.at_least.is_empty() { 0 } else { whole("at_least", &self.at_least, 0) };
        let at_most = whole("at_most", &self.at_most, 1);
        let strata = Strata::parse(&self.strata);
        if strata.is_none() {
            errors.push(("strata", "Choose one of these.".to_owned()));
        }
        match (share, strata) {
            (Some(share), Some(strata)) if errors.is_empty() => {
                Ok(SamplingRule { share: share / 100.0, strata, at_least, at_most })
            }
            _ => Err(errors),
        }
    }
}

fn fields(typed: &Typed, errors: &[(&'static str, String)]) -> Vec<Field> {
    let strata = [
        (Strata::None, "by chance alone"),
        (Strata::Release, "by chance, of each release"),
        (Strata::Evidence, "by chance, of each kind of evidence"),
        (Strata::Model, "by chance, of each model"),
    ];
    let strata = strata.map(|(strata, label)| (strata.as_str(), label));
    let mut fields = vec![
        Field::number("share", "Share of the completed runs", &typed.share).with_unit("%"),
        Field::number("at_most", "At most a day", &typed.at_most)
            .with_unit("runs")
            .with_hint("Of the whole workflow, so that nobody drowns."),
        Field::select("strata", "How they are chosen", Choice::list(&strata, &typed.strata))
            .with_hint("In parts, so that what is rare gets seen too."),
        Field::number("at_least", "At least of each part and day", &typed.at_least)
            .optional()
            .with_unit("runs")
            .with_hint("Where there are so many. More of a part weighs less in the rate."),
    ];
    put_errors(&mut fields, errors);
    fields
}

/// What is on a page beside its fields.
struct Around {
    error: String,
    preview: Option<SamplingForecast>,
}

async fn page(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    fields: Vec<Field>,
    known: Option<&Sampling>,
    around: Around,
) -> Result<Page<SamplingPage>, PageError> {
    let part = SamplingPage {
        tabs: workflow_tabs(&workflow.id.to_string(), "sampling"),
        action: format!("/workflows/{}/sampling", workflow.id),
        csrf: visit.csrf(),
        standing: standing(visit, known),
        is_on: known.is_some(),
        fields,
        error: around.error,
        preview: around.preview,
    };
    let question = "Does completed mean completed?";
    let shell = workflow_shell(state, visit, workflow, "Sampling", question, "/sampling").await?;
    Ok(Page::new(visit.wanted, shell, part))
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<SamplingPage>, PageError> {
    let actor = &visit.who.actor;
    let workflow = state.app.get_workflow(actor, id).await?;
    actor.must_operate()?;
    let known = state.app.find_sampling(actor, id).await?;
    let rule = known.as_ref().map_or(SUGGESTED, |known| known.rule);
    let preview = Some(told(&rule, &state.app.preview_sampling(actor, id, rule).await?));
    let around = Around { error: String::new(), preview };
    page(&state, &visit, &workflow, fields(&Typed::of(&rule), &[]), known.as_ref(), around).await
}

async fn edit(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let app = &state.app;
    let workflow = app.get_workflow(&who.actor, id).await?;
    who.actor.must_operate()?;
    let back = SeeOther::to(format!("/workflows/{id}/sampling"));
    if form.get("do") == Some("stop") {
        app.delete_sampling(&who.actor, id).await?;
        let link = Link::new("See what waits", format!("/queue?workflow={id}&kind=sample"));
        let flash = Flash { link: Some(link), ..Flash::good("Nothing more is sampled. What waits still waits.") };
        return Ok(back.saying(flash).into_response());
    }
    let known = app.find_sampling(&who.actor, id).await?;
    let typed = Typed::posted(&form);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let rule = match typed.read() {
        Ok(rule) => rule,
        Err(errors) => {
            let error = "Nothing was saved: a field needs a change.".to_owned();
            let around = Around { error, preview: None };
            let page = page(&state, &visit, &workflow, fields(&typed, &errors), known.as_ref(), around).await?;
            return Ok(page.with_status(refused).into_response());
        }
    };
    let tried = if form.get("do") == Some("save") {
        app.update_sampling(&who.actor, id, rule).await.map(|_| None)
    } else {
        app.preview_sampling(&who.actor, id, rule).await.map(Some)
    };
    let (status, around) = match tried {
        Ok(None) => {
            let flash = Flash::good("Sampling saved. A day’s runs enter the queue when the day is over.");
            return Ok(back.saying(flash).into_response());
        }
        Ok(Some(preview)) => (StatusCode::OK, Around { error: String::new(), preview: Some(told(&rule, &preview)) }),
        Err(error) => (refused, Around { error: mend(error)?, preview: None }),
    };
    let page = page(&state, &visit, &workflow, fields(&typed, &[]), known.as_ref(), around).await?;
    Ok(page.with_status(status).into_response())
}

/// What holds now, in words.
fn standing(visit: &Visit, known: Option<&Sampling>) -> String {
    let Some(known) = known else { return "Nothing of this workflow is sampled.".to_owned() };
    let rule = &known.rule;
    let parts = match rule.strata {
        Strata::None => "",
        Strata::Release => " of each release",
        Strata::Evidence => " of each kind of evidence",
        Strata::Model => " of each model",
    };
    let least = if rule.at_least > 0 { format!(", at least {} a day", rule.at_least) } else { String::new() };
    let set = Time::new(known.changed_at, visit.now, &visit.zone);
    format!(
        "{} of the completed runs{parts}{least} go to review, and at most {} a day in all; {} set that {}.",
        percent_of(rule.share),
        rule.at_most,
        known.changed_by,
        set.text()
    )
}

/// A preview in words and a table.
fn told(rule: &SamplingRule, preview: &SamplingPreview) -> SamplingForecast {
    let n = |n: f64| format::significant(n);
    if preview.completed_a_day <= 0.0 {
        let words = "No run completed in the last 30 days, so there is nothing to try it on.".to_owned();
        return SamplingForecast { words, ..SamplingForecast::default() };
    }
    let days = match preview.days {
        1 => "On the last whole day".to_owned(),
        days => format!("On the last {days} whole days"),
    };
    let words = format!(
        "{days} {} runs a day were claimed completed; {} a day would go to review, {} a month.",
        n(preview.completed_a_day),
        n(preview.taken_a_day),
        n(preview.taken_a_day * 30.0)
    );
    let precision = match preview.interval {
        Some((low, high)) => {
            let share = percent_of(preview.share);
            let supposed = if preview.is_supposed { "Were" } else { "As" };
            let hold = if preview.is_supposed { "of the claims right" } else { "of the claims were right so far" };
            format!(
                "{supposed} {share} {hold}, a month in which all of them are reviewed would put that at {}.",
                format::interval(low, high)
            )
        }
        None => String::new(),
    };
    let name = |part: &str| match rule.strata {
        _ if part == OTHERS => "rarer parts together".to_owned(),
        Strata::Release if part.is_empty() => "no release named".to_owned(),
        Strata::Model if part.is_empty() => "no model called".to_owned(),
        Strata::Evidence => evidence_in_words(part).to_owned(),
        _ => part.to_owned(),
    };
    let rows = preview.parts.iter().take(MAX_PARTS).map(|(part, completed, taken)| {
        Row::plain(vec![Cell::name(name(part)), Cell::number(n(*completed)), Cell::number(n(*taken))])
    });
    let rows = if rule.strata == Strata::None { Vec::new() } else { rows.collect() };
    let columns = vec![Column::new("Part"), Column::number("Completed a day"), Column::number("To review a day")];
    SamplingForecast { words, precision, parts: Table::new("Runs a day by part", columns, rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(share: &str, strata: &str, at_least: &str, at_most: &str) -> Typed {
        let [share, strata, at_least, at_most] = [share, strata, at_least, at_most].map(str::to_owned);
        Typed { share, strata, at_least, at_most }
    }

    #[test]
    fn a_rule_survives_its_fields() {
        for rule in [
            SUGGESTED,
            SamplingRule { share: 0.001, strata: Strata::Model, at_least: 3, at_most: 500 },
            SamplingRule { share: 1.0, strata: Strata::Evidence, at_least: 0, at_most: 1 },
        ] {
            assert_eq!(Typed::of(&rule).read(), Ok(rule));
        }
        assert_eq!(typed("2,5", "none", "", "9").read().map(|rule| (rule.share, rule.at_least)), Ok((0.025, 0)));
    }

    #[test]
    fn what_is_wrong_stands_at_its_field() {
        for (fields, wrong) in [
            (typed("0", "none", "0", "9"), "share"),
            (typed("NaN", "none", "0", "9"), "share"),
            (typed("1e308", "none", "0", "9"), "share"),
            (typed("", "none", "0", "9"), "share"),
            (typed("-5", "none", "0", "9"), "share"),
            (typed("5", "weekday", "0", "9"), "strata"),
            (typed("5", "none", "-1", "9"), "at_least"),
            (typed("5", "none", "0", "0"), "at_most"),
            (typed("5", "none", "0", "501"), "at_most"),
            (typed("5", "none", "0", ""), "at_most"),
        ] {
            let errors = fields.read().expect_err(wrong);
            assert_eq!(errors.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [wrong]);
        }
    }
}
