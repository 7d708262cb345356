//! A workflow's expectations: edited as fields, tried over past runs, and only then saved.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::workflows::Preview;
use steward_core::answer_schema::AnswerSchema;
use steward_core::expectations::Expectation;
use steward_core::ids::WorkflowId;
use steward_core::money::Nanos;
use steward_core::workflow::Workflow;

use crate::extract::Path;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::empty::Empty;
use crate::view::components::form::{Control, Field};
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::Time;
use crate::view::page::Page;
use crate::view::pages::expectations::{ExpectationsPage, ExpectationsPreview};
use crate::view::pages::workflow::workflow_tabs;
use crate::{Routes, WebState};

use super::around::{Visit, put_errors};
use super::runs::title_of;
use super::trial::{Tried, try_settings};
use super::workflow::workflow_shell;

/// A workflow's expectations.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/workflows/{id}/expectations", show).post("/workflows/{id}/expectations", edit)
}

/// The fields as typed, by name.
struct Typed(Vec<(&'static str, String)>);

const NAMES: [&str; 9] =
    ["tools", "forbidden", "schema", "says_something", "never_repeats", "loops", "usd", "seconds", "steps"];

impl Typed {
    /// The fields of expectations that are saved.
    fn of(expectations: &[Expectation]) -> Self {
        let mut typed: Vec<(&'static str, String)> = Vec::new();
        for expectation in expectations {
            let (name, value) = match expectation {
                Expectation::CallsTool { tool } => ("tools", tool.clone()),
                Expectation::NeverSays { texts } => ("forbidden", texts.join("\n")),
                Expectation::AnswerFits { schema } => {
                    ("schema", serde_json::to_string_pretty(schema.as_json()).unwrap_or_default())
                }
                Expectation::CostsAtMost { nanos } => ("usd", nanos.units().to_string()),
                Expectation::EndsWithin { ms } => ("seconds", (*ms as f64 / 1_000.0).to_string()),
                Expectation::StepsAtMost { steps } => ("steps", steps.to_string()),
                Expectation::SaysSomething => ("says_something", "on".to_owned()),
                Expectation::NeverRepeats => ("never_repeats", "on".to_owned()),
                Expectation::NeverLoops { times } => ("loops", times.to_string()),
            };
            match typed.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => {
                    all.push('\n');
                    all.push_str(&value);
                }
                None => typed.push((name, value)),
            }
        }
        Self(typed)
    }

    fn posted(form: &Fields) -> Self {
        let posted =
            |name: &'static str| form.get(name).filter(|value| !value.is_empty()).map(|value| (name, value.to_owned()));
        Self(NAMES.into_iter().filter_map(posted).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.trim())
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let lines = self.get(name).lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    }

    /// The expectations of the fields, or what is wrong with which.
    fn read(&self) -> Result<Vec<Expectation>, Vec<(&'static str, String)>> {
        let mut errors = Vec::new();
        let mut all: Vec<Expectation> =
            self.lines("tools").into_iter().map(|tool| Expectation::CallsTool { tool }).collect();
        let texts = self.lines("forbidden");
        if !texts.is_empty() {
            all.push(Expectation::NeverSays { texts });
        }
        if !self.get("schema").is_empty() {
            let parsed = serde_json::from_str(self.get("schema")).map_err(|error| format!("This is no JSON: {error}."));
            match parsed.and_then(AnswerSchema::new) {
                Ok(schema) => all.push(Expectation::AnswerFits { schema }),
                Err(words) => errors.push(("schema", super::around::sentence(&words))),
            }
        }
        if !self.get("says_something").is_empty() {
            all.push(Expectation::SaysSomething);
        }
        if !self.get("never_repeats").is_empty() {
            all.push(Expectation::NeverRepeats);
        }
        let mut number = |name: &'static str, make: &dyn Fn(f64) -> Option<Expectation>| {
            let text = self.get(name);
            if text.is_empty() {
                return;
            }
            let read = text.replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0);
            match read.and_then(make) {
                Some(expectation) => all.push(expectation),
                None => errors.push((name, format!("“{text}” is no number that fits here."))),
            }
        };
        let whole = |n: f64| (n.fract() == 0.0 && n <= 1e6).then_some(n as u32);
        number("loops", &|n| Some(Expectation::NeverLoops { times: whole(n)? }));
        number("usd", &|n| Some(Expectation::CostsAtMost { nanos: Nanos::from_units(n)? }));
        number("seconds", &|n| (n <= 1e9).then_some(Expectation::EndsWithin { ms: (n * 1_000.0).round() as i64 }));
        number("steps", &|n| Some(Expectation::StepsAtMost { steps: whole(n)? }));
        if errors.is_empty() { Ok(all) } else { Err(errors) }
    }
}

fn fields(visit: &Visit, typed: &Typed, errors: &[(&'static str, String)]) -> [Vec<Field>; 2] {
    let value = |name: &str| typed.get(name).to_owned();
    let ticked = |name: &str| !typed.get(name).is_empty();
    let mut said = vec![
        Field::lines("tools", "Tools that succeed in every run that is done", value("tools"), 3)
            .with_hint("One a line; a beginning and * names several."),
        Field::lines("forbidden", "Words or sentences that are never said", value("forbidden"), 3)
            .with_hint("One a line, in any case."),
        Field {
            control: Control::Code(6),
            ..Field::lines("schema", "JSON Schema that the last answer fits", value("schema"), 6)
        }
        .with_hint("It stands alone: nothing is fetched from other addresses."),
        Field::check("says_something", "The agent says something", ticked("says_something")),
        Field::check("never_repeats", "The agent says nothing of some length twice", ticked("never_repeats")),
    ];
    let mut limits = vec![
        Field::number("loops", "Calls of one tool with the same arguments are a loop from", value("loops"))
            .optional()
            .with_unit("calls"),
        Field::number("steps", "Steps", value("steps")).optional(),
        Field::number("seconds", "Time, waiting for a person left out", value("seconds")).optional().with_unit("s"),
    ];
    if visit.sees_money() {
        limits.push(Field::number("usd", "Cost", value("usd")).optional().with_unit("USD"));
    }
    put_errors(said.iter_mut().chain(&mut limits), errors);
    [said, limits]
}

async fn page(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    [said, limits]: [Vec<Field>; 2],
    error: String,
    preview: Option<ExpectationsPreview>,
) -> Result<Page<ExpectationsPage>, PageError> {
    let part = ExpectationsPage {
        tabs: workflow_tabs(&workflow.id.to_string(), "expectations"),
        action: format!("/workflows/{}/expectations", workflow.id),
        csrf: visit.csrf(),
        said,
        limits,
        error,
        version: workflow.settings_version,
        preview,
    };
    let question = "What must hold of every run?";
    let shell = workflow_shell(state, visit, workflow, "Expectations", question, "/expectations").await?;
    Ok(Page::new(visit.wanted, shell, part))
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<ExpectationsPage>, PageError> {
    let workflow = state.app.get_workflow(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    let fields = fields(&visit, &Typed::of(&workflow.settings.expectations), &[]);
    page(&state, &visit, &workflow, fields, String::new(), None).await
}

async fn edit(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let workflow = state.app.get_workflow(&who.actor, id).await?;
    who.actor.must_operate()?;
    let typed = Typed::posted(&form);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let expectations = match typed.read() {
        Ok(expectations) => expectations,
        Err(errors) => {
            let words = "Nothing was saved: a field needs a change.".to_owned();
            let page = page(&state, &visit, &workflow, fields(&visit, &typed, &errors), words, None).await?;
            return Ok(page.with_status(refused).into_response());
        }
    };
    let mut settings = workflow.settings.clone();
    settings.expectations = expectations;
    let (status, error, preview) =
        match try_settings(&state, &who.actor, &workflow, &settings, &form, "expectations").await? {
            Tried::Saved(back) => return Ok(back.into_response()),
            Tried::Preview(preview) => {
                (StatusCode::OK, String::new(), Some(told(&visit, &settings.expectations, &preview)))
            }
            Tried::Refused(status, words) => (status, words, None),
        };
    let page = page(&state, &visit, &workflow, fields(&visit, &typed, &[]), error, preview).await?;
    Ok(page.with_status(status).into_response())
}

/// A preview in words and tables.
fn told(visit: &Visit, expectations: &[Expectation], preview: &Preview) -> ExpectationsPreview {
    let n = preview.runs.len();
    let mut words = match (n, preview.n_broken) {
        (0, _) => "No run has ended yet, so there is nothing to try them on.".to_owned(),
        (n, 0) => format!("Of the last {n} finished runs none would have broken one."),
        (n, 1) => format!("Of the last {n} finished runs 1 would have broken one."),
        (n, broken) => format!("Of the last {n} finished runs {broken} would have broken one."),
    };
    if preview.n_without_steps > 0 {
        words.push_str(&format!(" {} of them have no steps any more and keep their reading.", preview.n_without_steps));
    }
    let mut kinds: Vec<(&str, String)> = Vec::new();
    for expectation in expectations {
        match kinds.iter_mut().find(|(word, _)| *word == expectation.word()) {
            Some((_, words)) => words.push_str(&format!("; {}", expectation.in_words())),
            None => kinds.push((expectation.word(), expectation.in_words())),
        }
    }
    let rows = kinds.into_iter().map(|(word, words)| {
        let n = |broken: &std::collections::BTreeMap<String, u32>| {
            Cell::number(broken.get(word).copied().unwrap_or(0).to_string())
        };
        Row::plain(vec![Cell::name(words), n(&preview.before.broken), n(&preview.after.broken)])
    });
    let examples = preview.runs.iter().filter(|run| !run.after.broken.is_empty()).take(12).map(|run| {
        let broken: Vec<&str> = run.after.broken.iter().map(|(_, words)| words.as_str()).collect();
        Row::opens(
            format!("/runs/{}", run.row.id),
            vec![
                Cell::name(title_of(&run.row)),
                Cell::text(broken.join("; ")),
                Cell::Time(Time::new(run.row.ended_at, visit.now, &visit.zone)),
            ],
        )
    });
    let columns = vec![Column::new("Expectation"), Column::number("Broken before"), Column::number("Broken after")];
    let empty = Empty::new(Icon::Target, "Nothing is expected", "Fill a field in, and try it over past runs.");
    ExpectationsPreview {
        words,
        broken: Table::new("Runs by expectation", columns, rows.collect()).or_empty(empty),
        examples: Table::new(
            "Some of the runs",
            vec![Column::new("Run"), Column::new("What was broken"), Column::new("Ended")],
            examples.collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_survive_their_fields() {
        let schema = AnswerSchema::new(serde_json::json!({"type": "object"})).expect("a schema");
        let all = vec![
            Expectation::CallsTool { tool: "book".to_owned() },
            Expectation::CallsTool { tool: "confirm*".to_owned() },
            Expectation::NeverSays { texts: vec!["guarantee".to_owned(), "for sure".to_owned()] },
            Expectation::AnswerFits { schema },
            Expectation::SaysSomething,
            Expectation::NeverRepeats,
            Expectation::NeverLoops { times: 4 },
            Expectation::CostsAtMost { nanos: Nanos(250_000_000) },
            Expectation::EndsWithin { ms: 90_500 },
            Expectation::StepsAtMost { steps: 40 },
        ];
        assert_eq!(Typed::of(&all).read(), Ok(all));
        assert_eq!(Typed(Vec::new()).read(), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_stands_at_its_field() {
        let typed = |name, value: &str| Typed(vec![(name, value.to_owned())]).read();
        for (name, value) in [
            ("schema", "{"),
            ("schema", r#"{"type": "no such type"}"#),
            ("steps", "many"),
            ("steps", "1.5"),
            ("loops", "-1"),
            ("usd", "NaN"),
            ("seconds", "1e300"),
        ] {
            let errors = typed(name, value).expect_err(value);
            assert_eq!(errors.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [name], "{value}");
        }
    }
}
