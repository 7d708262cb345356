//! A run: what happened, and why do we say so?

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use steward_app::AppError;
use steward_app::run_query::RunQuery;
use steward_app::runs::RunDetail;
use steward_app::system::{InboxEntry, InboxKind};
use steward_app::tenant::{ExceptionRow, PatternRow, RunFilter};
use steward_core::conversation::{Said, conversation};
use steward_core::ids::{ItemId, RunId};
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::{EvidenceKind, Outcome};
use steward_core::prices::PriceBook;
use steward_core::queue::{QueueItem, item_of};
use steward_core::run::{CostSource, RunFacts, RunState};
use steward_core::step::{ErrorClass, Role, Step, StepKind};
use steward_core::time::Period;

use crate::extract::Path;
use crate::flash::{SeeOther, Undo};
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::conversation::{CalledTool, Conversation, Turn};
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::snippet::IdCopy;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::waterfall::{Lane, Waterfall};
use crate::view::format::{self, Time};
use crate::view::page::Page;
use crate::view::pages::run::{Because, OtherEvidence, RawPanel, ReadingPanel, RunPage, StepDetail, VerdictForm};
use crate::view::shell::Crumb;
use crate::{Problem, Routes, WebState};

use super::around::{Visit, sentence};
use super::exceptions::{pattern_path, state_badge};
use super::queue::item_path;
use super::queue::words::review_state;
use super::runs::{Names, count};

/// The most steps that a page shows.
const MAX_STEPS: usize = 400;
/// The most characters of one message among a step's details.
const MAX_MESSAGE_CHARS: usize = 3_000;
/// About the most bytes of one step's details.
const MAX_DETAIL_BYTES: usize = 12_000;
/// The most characters of raw payloads that a page shows; all of them are a file.
const MAX_RAW_CHARS: usize = 60_000;

/// A run's page.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/runs/{id}", show).get("/runs/{id}/raw.json", raw).post("/runs/{id}/verdict", verdict)
}

async fn show(State(state): State<WebState>, visit: Visit, Path(id): Path<RunId>) -> Result<Page<RunPage>, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let detail = app.get_run(actor, id).await?;
    let names = Names::load(&state, &visit).await?;
    let prices = app.price_book(actor.agency_id).await?;
    let payloads = if visit.sees_money() { Some(app.list_run_payloads(actor, id).await?) } else { None };
    let known =
        if detail.run.facts.exceptions.is_empty() { Vec::new() } else { app.list_run_exceptions(actor, id).await? };
    let ids: Vec<ItemId> = known.iter().map(|(row, _)| item_of(row.id)).collect();
    let waiting = if ids.is_empty() {
        Vec::new()
    } else {
        app.store_of(actor).find_queue_items(&ids).await.map_err(AppError::from)?
    };
    let place = names.place(&detail.workflow);
    let facts = &detail.run.facts;
    let title = if facts.title.is_empty() { detail.run.key.chars().take(60).collect() } else { facts.title.clone() };
    let mut shell = visit.shell(title.clone(), "What happened, and why do we say so?", "/runs");
    shell.path = vec![Crumb::new("Runs", "/runs")];
    if let Some(client) = names.client(&detail.workflow) {
        shell.path.push(Crumb::new(client.name.clone(), format!("/clients/{}", client.id)));
    }
    shell.path.push(Crumb::new(detail.workflow.name.clone(), format!("/workflows/{}", detail.workflow.id)));
    shell.path.push(Crumb::new(title, ""));
    let currency = names.client(&detail.workflow).map_or(Currency::USD, |client| client.settings.currency);
    let live =
        if detail.state == RunState::Final { String::new() } else { format!("/live?workflow={}", detail.workflow.id) };
    let said = conversation(&detail.run.steps);
    let page = RunPage {
        live,
        newer: String::new(),
        older: String::new(),
        facts: head(&visit, &detail, &place),
        notices: notices(&detail),
        exceptions: exceptions(&visit, &detail, &known, &waiting),
        because: because(&visit, &detail),
        verdict: Some(verdict_form(&visit, &detail)),
        results: results(&visit, facts, currency),
        conversation: talk(&detail, &said),
        waterfall: waterfall(&detail, &said),
        details: details(&detail.run.steps),
        costs: if visit.sees_money() { costs(&detail, &prices) } else { Table::default() },
        scores: scores(&detail.run.steps),
        reading: reading(&visit, &detail),
        raw: raw_panel(&visit, &detail, payloads.as_deref()),
    };
    Ok(Page::new(visit.wanted, shell, page))
}

fn head(visit: &Visit, detail: &RunDetail, place: &str) -> Facts {
    let facts = &detail.run.facts;
    let usage = &facts.usage;
    let others = facts.n_steps.saturating_sub(facts.n_model_calls).saturating_sub(facts.n_tool_calls);
    let waited = if facts.waiting_ms > 0 {
        format!("{} of it waiting", format::duration_ms(facts.waiting_ms))
    } else {
        "none of it waiting".to_owned()
    };
    let tokens = FactValue::Text(
        format!("{} in, {} out", format::count(usage.total_input()), format::count(usage.total_output())),
        format!(
            "{} read from a cache, {} written to one, {} spent on reasoning",
            format::count(usage.cache_read),
            format::count(usage.total_cache_write()),
            format::count(usage.reasoning)
        ),
    );
    let said = |text: &str| {
        if text.is_empty() {
            FactValue::Unknown("the sender does not say".to_owned())
        } else {
            FactValue::Text(text.to_owned(), String::new())
        }
    };
    let models: Vec<&str> = facts.models.iter().map(|model| model.name.as_str()).collect();
    let mut all = vec![
        Fact::link("Workflow", place, format!("/workflows/{}", detail.workflow.id)),
        Fact::new("Began", FactValue::Time(Time::new(facts.started_at, visit.now, &visit.zone))),
        Fact::new(
            "Took",
            FactValue::Text(format::duration_ms(facts.cycle_ms), format!("{} ms, {waited}", count(facts.cycle_ms))),
        ),
        Fact::text(
            "Steps",
            format!("{}: {} model, {} tool, {others} other", facts.n_steps, facts.n_model_calls, facts.n_tool_calls),
        ),
        Fact::new("Model", said(&models.join(", "))),
        Fact::new("Tokens", tokens),
    ];
    if visit.sees_money() {
        all.push(Fact::new(
            "Cost",
            match facts.cost_nanos {
                Some(nanos) => {
                    FactValue::Text(format::money(nanos, Currency::USD), source_in_words(facts.cost_source).to_owned())
                }
                None => FactValue::Unknown(format!(
                    "{} calls have neither a reported cost nor a price",
                    facts.n_unpriced_calls
                )),
            },
        ));
    }
    all.push(Fact::new("Release", said(&facts.release)));
    all.push(Fact::new("User", said(&facts.user_id)));
    if !facts.conversation_id.is_empty() {
        all.push(Fact::text("Conversation", facts.conversation_id.clone()));
    }
    all.push(Fact::new("Run", FactValue::Id(IdCopy(detail.run.id.to_string()))));
    Facts { facts: all, across: true }
}

const fn source_in_words(source: CostSource) -> &'static str {
    match source {
        CostSource::Reported => "as the sender reports it",
        CostSource::Priced => "tokens by the price table at their time",
        CostSource::Mixed => "some calls as reported, some by the price table",
        CostSource::Unknown => "not known",
    }
}

fn notices(detail: &RunDetail) -> Vec<Notice> {
    let facts = &detail.run.facts;
    let mut notices = Vec::new();
    // Runs that were read before exceptions were kept tell the first of them only.
    if facts.exceptions.is_empty() && !facts.first_error.is_empty() {
        let more = facts.n_exceptions.saturating_sub(1);
        let text = if more > 0 { format!("{more} more exceptions followed.") } else { String::new() };
        notices.push(Notice::new(Tone::Bad, facts.first_error.clone(), text));
    }
    if facts.test {
        notices.push(Notice::new(Tone::Info, "A test run", "Figures and reports leave it out."));
    }
    if detail.run.steps_dropped {
        notices.push(Notice::new(
            Tone::Info,
            "Its steps are kept no longer",
            "Outcome, cost and figures stay as they are.",
        ));
    }
    if facts.n_late_steps > 0 {
        notices.push(Notice::new(
            Tone::Warn,
            format!("{} steps came after it was final", facts.n_late_steps),
            "They count; figures were corrected.",
        ));
    }
    notices
}

/// What a person should look at in the run, and whether somebody did. While it is open, or where it is a test, patterns
/// are not known, and nothing of it waits.
fn exceptions(
    visit: &Visit,
    detail: &RunDetail,
    known: &[(ExceptionRow, Option<PatternRow>)],
    waiting: &[QueueItem],
) -> Table {
    let steps = &detail.run.steps;
    let rows = detail.run.facts.exceptions.iter().map(|exception| {
        let step = exception.span_id.as_ref().and_then(|id| steps.iter().position(|step| step.span_id == *id));
        let place = [exception.tool.as_str(), exception.agent.as_str(), exception.stage_word()];
        let place = place.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned();
        let step = match step {
            Some(at) => Cell::Link(place, format!("#step-{at}")),
            None => Cell::text(place),
        };
        let class = exception.class.map_or("", ErrorClass::as_str);
        let sort = [exception.kind.as_str(), class, exception.code.as_str()];
        let mut sort: Vec<&str> = sort.into_iter().filter(|text| !text.is_empty()).collect();
        sort.dedup();
        let found = known.iter().find(|(row, _)| row.key == exception.key);
        let item = found.and_then(|(row, _)| waiting.iter().find(|item| item.id == item_of(row.id)));
        let pattern = found.and_then(|(_, pattern)| pattern.as_ref());
        let (href, pattern) = match pattern {
            Some(pattern) => (pattern_path(pattern.id), Cell::Badge(state_badge(pattern.state))),
            None => (String::new(), Cell::Blank),
        };
        let row = known.iter().find(|(row, _)| row.key == exception.key).map(|(row, _)| row);
        let handoff =
            row.map_or(Cell::Blank, |row| Cell::Link("Handoff".to_owned(), format!("/exceptions/{}/handoff", row.id)));
        let cells = vec![
            Cell::Name(exception.message.clone(), sort.join(" · ")),
            step,
            Cell::Time(Time::new(exception.at, visit.now, &visit.zone)),
            pattern,
            item.map_or(Cell::Blank, |item| Cell::Link(review_state(item, visit), item_path(item.id))),
            handoff,
        ];
        Row::opens(href, cells)
    });
    let columns = vec![
        Column::new("Exception").titled("Opens its pattern"),
        Column::new("Step"),
        Column::new("When"),
        Column::new("Pattern"),
        Column::new("Review"),
        Column::new(""),
    ];
    Table::new("Exceptions", columns, rows.collect())
}

fn because(visit: &Visit, detail: &RunDetail) -> Because {
    let facts = &detail.run.facts;
    let evidence = &facts.evidence;
    let lead = match evidence.kind {
        EvidenceKind::Verdict => "A person said so",
        EvidenceKind::Explicit => "The sender said so",
        EvidenceKind::Score => "A score says so",
        EvidenceKind::Rule => "A rule says so",
        EvidenceKind::Status => "Its status says so",
        EvidenceKind::Nothing => "Nothing says so",
    };
    let words = if !facts.finished {
        "It is still open; what came of it is said when it ends.".to_owned()
    } else if evidence.words.is_empty() {
        format!("{lead}.")
    } else {
        sentence(&format!("{lead}: {}", evidence.words))
    };
    let steps = &detail.run.steps;
    let at = evidence.span_id.as_ref().and_then(|id| steps.iter().position(|step| step.span_id == *id));
    let standing = detail.verdicts.last().is_some_and(|verdict| verdict.outcome.is_some());
    let scores: Vec<String> = steps
        .iter()
        .flat_map(|step| &step.scores)
        .map(|score| match (score.value, &score.label) {
            (Some(value), _) => format!("{} is {value}", score.name),
            (None, Some(label)) => format!("{} is {label}", score.name),
            (None, None) => score.name.clone(),
        })
        .take(6)
        .collect();
    let declared = steps.iter().filter_map(|step| step.declared.as_ref()?.outcome).next_back();
    let rules = detail.workflow.settings.outcome_rules.iter().enumerate();
    let rule = rules
        .filter_map(|(i, rule)| {
            rule.decide(steps).map(|(_, words)| format!("rule {} says {}: {words}", i + 1, rule.outcome.as_str()))
        })
        .next();
    let all = [
        (EvidenceKind::Verdict, if standing { "one was given".to_owned() } else { "none was given".to_owned() }),
        (
            EvidenceKind::Explicit,
            declared.map_or_else(
                || "the sender said nothing".to_owned(),
                |outcome| format!("the sender said {}", outcome.as_str()),
            ),
        ),
        (EvidenceKind::Score, if scores.is_empty() { "no score came in".to_owned() } else { scores.join(", ") }),
        (
            EvidenceKind::Rule,
            rule.unwrap_or_else(|| {
                if detail.workflow.settings.outcome_rules.is_empty() {
                    "the workflow has no outcome rule".to_owned()
                } else {
                    "no rule holds".to_owned()
                }
            }),
        ),
        (
            EvidenceKind::Status,
            if steps.iter().any(|s| s.parent_span_id.is_none() && s.error.is_some()) {
                "it ended with an error".to_owned()
            } else {
                "it ended without an error, which alone says nothing".to_owned()
            },
        ),
    ];
    let others = all.into_iter().filter(|(kind, _)| *kind != evidence.kind);
    Because {
        outcome: Badge::outcome(evidence.outcome),
        state: Badge::run_state(detail.state.as_str()),
        words,
        step: at.map(|at| format!("#step-{at}")).unwrap_or_default(),
        others: others.map(|(kind, words)| OtherEvidence { kind: kind.as_str().to_owned(), words }).collect(),
        until: match (detail.state, facts.final_at, facts.due_at) {
            (RunState::Provisional, Some(at), _) => {
                format!("Late data is awaited until {}; then it is final.", format::instant(at, &visit.zone))
            }
            (RunState::Open, _, Some(at)) => {
                format!("If nothing more comes, it counts as ended at {}.", format::instant(at, &visit.zone))
            }
            _ => String::new(),
        },
    }
}

fn verdict_form(visit: &Visit, detail: &RunDetail) -> VerdictForm {
    let standing = detail.verdicts.last().filter(|verdict| verdict.outcome.is_some());
    let words = [Outcome::Completed, Outcome::Escalated, Outcome::Failed, Outcome::Abandoned]
        .map(|outcome| (outcome.as_str(), outcome.as_str()));
    let chosen = standing.and_then(|verdict| verdict.outcome).map_or("", Outcome::as_str);
    let comment = standing.map(|verdict| verdict.comment.clone()).unwrap_or_default();
    VerdictForm {
        action: format!("/runs/{}/verdict", detail.run.id),
        csrf: visit.csrf(),
        choices: Choice::list(&words, chosen),
        comment: Field::lines("comment", "Why", comment, 2).optional(),
        given: standing.map(|verdict| (verdict.person_name.clone(), Time::new(verdict.at, visit.now, &visit.zone))),
    }
}

async fn verdict(
    State(state): State<WebState>,
    Path(id): Path<RunId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let before = state.app.get_run(&who.actor, id).await?;
    let (outcome, comment) = if form.has("undo") {
        if before.verdicts.is_empty() {
            return Err(Problem::invalid("No verdict was given that could be taken back.").into());
        }
        // What stood before the last word, which may be nothing.
        let mut earlier = before.verdicts.iter().rev().skip(1);
        earlier.next().map_or((None, String::new()), |verdict| (verdict.outcome, verdict.comment.clone()))
    } else if form.has("withdraw") {
        (None, form.text("comment").to_owned())
    } else {
        let word = form.get("outcome").unwrap_or_default();
        let outcome = Outcome::parse(word).ok_or_else(|| Problem::invalid("Choose what came of the run."))?;
        (Some(outcome), form.text("comment").to_owned())
    };
    state.app.give_verdict(&who.actor, id, outcome, &comment).await?;
    let was = before.run.facts.outcome();
    let text = match outcome {
        Some(outcome) if outcome != was => {
            format!("Your verdict: {}. It was {}; figures change at once.", outcome.as_str(), was.as_str())
        }
        Some(outcome) => format!("Your verdict: {}.", outcome.as_str()),
        None => "The verdict was withdrawn; the run was read again without it.".to_owned(),
    };
    Ok(SeeOther::to(format!("/runs/{id}")).saying(Flash::good(text)).undoable(Undo::Verdict(id)))
}

fn results(visit: &Visit, facts: &RunFacts, currency: Currency) -> Table {
    let mut columns = vec![Column::new("Result")];
    if visit.sees_money() {
        columns.push(Column::number("Value"));
    }
    let rows = facts.results.iter().map(|result| {
        let hours = if result.in_hours { "in business hours" } else { "outside business hours" };
        let mut cells =
            vec![Cell::Name(result.name.clone(), format!("{}, {hours}", format::instant(result.at, &visit.zone)))];
        if visit.sees_money() {
            cells.push(result.value_nanos.map_or_else(
                || Cell::Unknown("no value is agreed".to_owned()),
                |nanos| Cell::number(format::money(nanos, currency)),
            ));
        }
        Row::plain(cells)
    });
    Table::new("Results", columns, rows.collect())
}

/// What was said, with the answers of tools inside the messages that asked for them.
pub(super) fn talk(detail: &RunDetail, said: &[Said]) -> Conversation {
    let steps = &detail.run.steps;
    let start = detail.run.facts.started_at;
    let decisive = detail.run.facts.evidence.span_id.as_deref();
    let mut taken: HashSet<usize> = HashSet::new();
    let mut used_tools: HashSet<usize> = HashSet::new();
    let mut ids: HashSet<usize> = HashSet::new();
    let mut turns = Vec::new();
    for (i, one) in said.iter().enumerate() {
        if taken.contains(&i) {
            continue;
        }
        let step = steps.get(one.step);
        let calls = one.message.tool_calls.iter().enumerate().map(|(j, call)| {
            let fits = |k: &usize| {
                let answer = &said[*k].message;
                answer.role == Role::Tool
                    && !taken.contains(k)
                    && match (&answer.tool_call_id, &call.id) {
                        (Some(of), Some(id)) => of == id,
                        _ => answer.name.as_ref().is_none_or(|name| *name == call.name),
                    }
            };
            let answer = (i + 1..said.len()).find(|k| fits(k));
            taken.extend(answer);
            let is_tool = |at: &usize| {
                steps[*at].kind == StepKind::Tool && steps[*at].tool.as_deref().unwrap_or(&steps[*at].name) == call.name
            };
            let text = answer.map(|k| said[k].message.text.as_str());
            let unused = |at: &usize| is_tool(at) && !used_tools.contains(at);
            let exact =
                (0..steps.len()).find(|at| unused(at) && text.is_some_and(|text| steps[*at].output_text() == text));
            let tool = exact.or_else(|| (0..steps.len()).find(unused));
            used_tools.extend(tool);
            let tool_step = tool.map(|at| &steps[at]);
            CalledTool {
                id: tool.map_or_else(|| format!("call-{i}-{j}"), |at| format!("step-{at}")),
                name: call.name.clone(),
                arguments: pretty(&call.arguments),
                result: text
                    .map(pretty)
                    .or_else(|| tool_step.filter(|s| !s.output.is_empty()).map(|s| pretty(s.output_text()))),
                failed: tool_step.is_some_and(|s| s.error.is_some()),
                duration: tool_step.map(|s| format::duration_ms(s.duration_ms())).unwrap_or_default(),
                open: tool_step.is_some_and(|s| Some(s.span_id.as_str()) == decisive),
            }
        });
        let calls: Vec<CalledTool> = calls.collect();
        let speaks = one.message.role == Role::Assistant && step.is_some_and(|s| s.kind == StepKind::Model);
        let own_id = speaks && ids.insert(one.step);
        turns.push(Turn {
            id: if own_id { format!("step-{}", one.step) } else { format!("turn-{i}") },
            role: one.message.role,
            name: one.message.name.clone().unwrap_or_default(),
            at: step
                .filter(|_| speaks)
                .map(|s| format!("+{}", format::duration_ms(s.started_at.ms_since(start))))
                .unwrap_or_default(),
            note: step.filter(|_| speaks).map(note_of).unwrap_or_default(),
            text: one.message.text.clone(),
            calls,
        });
    }
    let empty = Empty::new(
        Icon::Message,
        "Nothing that was said came in",
        "The sender leaves contents out, or they are kept no longer. Steps, costs and outcome are known all the same.",
    );
    Conversation { turns, empty: Some(empty) }
}

/// A step in a few words: model, how long, tokens.
fn note_of(step: &Step) -> String {
    let mut parts = Vec::new();
    parts.extend(step.model.clone());
    parts.push(format::duration_ms(step.duration_ms()));
    if let Some(usage) = &step.usage {
        parts.push(format!("{} in, {} out", format::count(usage.total_input()), format::count(usage.total_output())));
    }
    parts.extend(
        step.finish_reason.clone().filter(|reason| !matches!(reason.as_str(), "stop" | "tool_calls" | "end_turn")),
    );
    parts.join(" · ")
}

/// All that is known of a step, in lines.
fn words_of(step: &Step) -> String {
    let mut lines = vec![format!("{} {}", step.kind.as_str(), step.name)];
    lines.push(note_of(step));
    if let Some(nanos) = step.cost_nanos {
        lines.push(format!("reported cost {}", format::money(nanos, Currency::USD)));
    }
    if let Some(error) = &step.error {
        let code = error.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        lines.push(format!("error ({}{code}): {}", error.class.as_str(), error.message));
    }
    lines.push(format!("read as {}, {} attributes", step.reading.dialect, step.reading.n_attributes));
    lines.extend(step.reading.notes.iter().cloned());
    lines.join("\n")
}

fn details(steps: &[Step]) -> Vec<StepDetail> {
    let detail = |(i, step): (usize, &Step)| {
        let mut text = words_of(step);
        for (head, messages) in [("In", &step.input), ("Out", &step.output)] {
            for message in messages {
                let who = match message.role {
                    Role::System => "instructions",
                    Role::User => "user",
                    Role::Assistant => "agent",
                    Role::Tool => "tool",
                };
                let said = steward_core::step::cut_text(&pretty(&message.text), MAX_MESSAGE_CHARS);
                text.push_str(&format!("\n\n{head}, {who}:\n{said}"));
                for call in &message.tool_calls {
                    text.push_str(&format!("\n{}({})", call.name, call.arguments));
                }
                if text.len() > MAX_DETAIL_BYTES {
                    break;
                }
            }
        }
        if !step.attributes.is_empty() {
            text.push_str("\n\nAttributes:");
            step.attributes.iter().for_each(|(key, value)| text.push_str(&format!("\n{key} = {value}")));
        }
        StepDetail {
            id: format!("detail-{i}"),
            summary: format!("{} {} · {}", step.kind.as_str(), step.name, format::duration_ms(step.duration_ms())),
            text,
        }
    };
    steps.iter().enumerate().take(MAX_STEPS).map(detail).collect()
}

/// A text as it is best read: JSON with its lines, anything else as it is.
fn pretty(text: &str) -> String {
    if !text.trim_start().starts_with(['{', '[']) {
        return text.to_owned();
    }
    let value: Result<serde_json::Value, _> = serde_json::from_str(text);
    value.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}

fn waterfall(detail: &RunDetail, said: &[Said]) -> Waterfall {
    let steps = &detail.run.steps;
    let (start, total) = (detail.run.facts.started_at, detail.run.facts.cycle_ms.max(1) as f64);
    let place: HashMap<(&str, &str), usize> = steps.iter().enumerate().map(|(i, step)| (step.key(), i)).collect();
    let depth = |mut at: usize| {
        let mut depth = 0;
        while let Some(parent) = steps[at].parent_span_id.as_deref() {
            match place.get(&(steps[at].trace_id.as_str(), parent)) {
                Some(above) if depth < 12 && *above != at => (at, depth) = (*above, depth + 1),
                _ => break,
            }
        }
        depth
    };
    // Lanes lead to what was said, where something was; otherwise to the step among all steps.
    let spoken: HashSet<usize> = said.iter().map(|one| one.step).collect();
    let lanes = steps.iter().enumerate().take(MAX_STEPS).map(|(i, step)| Lane {
        id: format!("lane-{i}"),
        href: if spoken.contains(&i) || step.kind == StepKind::Tool {
            format!("#step-{i}")
        } else {
            format!("#detail-{i}")
        },
        kind: step.kind,
        name: step
            .tool
            .clone()
            .or_else(|| step.model.clone().filter(|_| step.kind == StepKind::Model))
            .unwrap_or_else(|| step.name.clone()),
        title: words_of(step),
        depth: depth(i),
        from: step.started_at.ms_since(start) as f64 / total,
        length: step.duration_ms() as f64 / total,
        duration: format::duration_ms(step.duration_ms()),
        failed: step.error.is_some(),
    });
    let left_out = steps.len().saturating_sub(MAX_STEPS);
    Waterfall {
        total: format::duration_ms(detail.run.facts.cycle_ms),
        steps: lanes.collect(),
        left_out: if left_out > 0 { format!("{left_out} later steps are not shown.") } else { String::new() },
    }
}

fn costs(detail: &RunDetail, prices: &PriceBook) -> Table {
    let facts = &detail.run.facts;
    let money = |nanos: Nanos| format::money(nanos, Currency::USD);
    let mut rows = Vec::new();
    let mut by_model = Nanos(0);
    for model in &facts.models {
        by_model = by_model.plus(model.cost_nanos);
        let step = detail.run.steps.iter().find(|step| step.model.as_deref() == Some(model.name.as_str()));
        let resolved = step.and_then(|step| prices.resolve(&model.name, step.provider.as_deref(), step.started_at));
        let reported = step.is_some_and(|step| step.cost_nanos.is_some());
        let source = match (reported, resolved) {
            (true, _) => "as reported".to_owned(),
            (false, Some(found)) if found.own => "by your own price".to_owned(),
            (false, Some(_)) => "by the price table".to_owned(),
            (false, None) => "in no price table".to_owned(),
        };
        let amount = if model.cost_nanos.0 == 0 && model.tokens > 0 && !reported && resolved.is_none() {
            Cell::Unknown(source.clone())
        } else {
            Cell::Number(money(model.cost_nanos), source.clone())
        };
        rows.push(Row::plain(vec![
            Cell::Name(model.name.clone(), format!("{} calls", model.calls)),
            Cell::number(format!("{} tokens", format::count(model.tokens))),
            Cell::text(source),
            amount,
        ]));
    }
    let rest = Nanos(facts.known_cost_nanos.0 - by_model.0);
    if rest.0 > 0 {
        rows.push(Row::plain(vec![
            Cell::name("The rest of the run"),
            Cell::Blank,
            Cell::text("as reported"),
            Cell::number(money(rest)),
        ]));
    }
    if facts.n_unpriced_calls > 0 {
        let why = "neither a reported cost nor a price is known";
        rows.push(Row::plain(vec![
            Cell::name("Calls without a known cost"),
            Cell::number(facts.n_unpriced_calls.to_string()),
            Cell::Blank,
            Cell::Unknown(why.to_owned()),
        ]));
    }
    let sum = match facts.cost_nanos {
        Some(nanos) => Cell::number(money(nanos)),
        None => Cell::Unknown(format!("at least {}", money(facts.known_cost_nanos))),
    };
    let columns = vec![Column::new("For"), Column::number("Quantity"), Column::new("Source"), Column::number("Amount")];
    Table {
        sums: if rows.is_empty() { Vec::new() } else { vec![Cell::name("Together"), Cell::Blank, Cell::Blank, sum] },
        ..Table::new("Costs", columns, rows)
    }
}

fn scores(steps: &[Step]) -> Table {
    let rows = steps.iter().flat_map(|step| &step.scores).take(60).map(|score| {
        let by = if score.by_human { "by a person" } else { "by an evaluator" };
        let value = score
            .value
            .map(|value| value.to_string())
            .or_else(|| score.label.clone())
            .unwrap_or_else(|| "–".to_owned());
        Row::plain(vec![
            Cell::Name(score.name.clone(), by.to_owned()),
            Cell::number(value),
            Cell::text(score.explanation.clone().unwrap_or_default()),
        ])
    });
    Table::new("Scores", vec![Column::new("Score"), Column::number("Value"), Column::new("Reason")], rows.collect())
}

fn reading(visit: &Visit, detail: &RunDetail) -> ReadingPanel {
    let facts = &detail.run.facts;
    let steps = &detail.run.steps;
    let mut notes: Vec<String> = Vec::new();
    for (step, note) in steps.iter().flat_map(|step| step.reading.notes.iter().map(move |note| (step, note))) {
        let line = format!("{}: {note}", step.name);
        if notes.len() < 40 && !notes.contains(&line) {
            notes.push(line);
        }
    }
    ReadingPanel {
        facts: Facts {
            across: false,
            facts: vec![
                Fact::text(
                    "Dialect",
                    if facts.dialects.is_empty() { "not said".to_owned() } else { facts.dialects.join(", ") },
                ),
                Fact::text(
                    "Attributes",
                    format!("{} on {} steps, {} unused", facts.n_attributes, facts.n_steps, facts.n_unmapped),
                ),
                Fact::text("Key", detail.run.key.clone()),
                Fact::text("Revision", detail.run.revision.to_string()),
                Fact::text(
                    "Environment",
                    if facts.environment.is_empty() { "not said".to_owned() } else { facts.environment.clone() },
                ),
            ],
        },
        notes,
        rules: rules(steps),
        unmapped: unmapped(visit, detail),
    }
}

/// The attributes that no rule used, each with the workflow's runs of the thirty days before that had it too.
fn unmapped(visit: &Visit, detail: &RunDetail) -> Vec<(String, String)> {
    let facts = &detail.run.facts;
    let n_found = facts.counted_unmapped().count();
    let end = facts.ended_at.plus_ms(1);
    let href = |key: &str| {
        let filter = RunFilter {
            workflows: Some(vec![detail.run.workflow_id]),
            period: Some(Period { start: end.plus_ms(-30 * 86_400_000), end }),
            unmapped_key: Some(key.to_owned()),
            with_tests: facts.test,
            ..RunFilter::default()
        };
        format!("/runs?{}", RunQuery::from(filter).write(&visit.zone))
    };
    let keys = facts.unmapped.iter().enumerate();
    keys.map(|(at, key)| (key.clone(), if at < n_found { href(key) } else { String::new() })).collect()
}

/// The rules that filled the steps, each with the number of steps that it had a part in; the most used first.
fn rules(steps: &[Step]) -> Vec<(String, usize)> {
    let mut n_steps: BTreeMap<&str, usize> = BTreeMap::new();
    for step in steps {
        let mut of_step: Vec<&str> = step.reading.rules.iter().map(|rule| &**rule).collect();
        of_step.sort_unstable();
        of_step.dedup();
        of_step.into_iter().for_each(|rule| *n_steps.entry(rule).or_default() += 1);
    }
    let mut rules: Vec<(String, usize)> = n_steps.into_iter().map(|(rule, n)| (rule.to_owned(), n)).collect();
    rules.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rules
}

fn raw_panel(visit: &Visit, detail: &RunDetail, payloads: Option<&[InboxEntry]>) -> RawPanel {
    let Some(payloads) = payloads else {
        return RawPanel { note: "Raw payloads are for owners and operators.".to_owned(), ..RawPanel::default() };
    };
    if payloads.is_empty() {
        return RawPanel {
            note: "Raw payloads are kept for a limited time; these are gone.".to_owned(),
            ..RawPanel::default()
        };
    }
    let mut text = String::new();
    for entry in payloads {
        let size = format::bytes(entry.body.len() as u64);
        text.push_str(&format!(
            "{} · {} · {size}\n{}\n\n",
            entry.kind.as_str(),
            format::instant_in_full(entry.received_at, &visit.zone),
            body_of(entry)
        ));
        if text.len() > MAX_RAW_CHARS {
            break;
        }
    }
    let n_all = detail.run.inbox_ids.len();
    RawPanel {
        text: steward_core::step::cut_text(&text, MAX_RAW_CHARS),
        href: format!("/runs/{}/raw.json", detail.run.id),
        note: if n_all > payloads.len() {
            format!("{} of {n_all} payloads; one may hold other runs too.", payloads.len())
        } else {
            "One payload may hold other runs too.".to_owned()
        },
    }
}

/// A payload as text: JSON with its lines; protobuf as the same in JSON.
fn body_of(entry: &InboxEntry) -> String {
    let value = value_of(entry);
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn value_of(entry: &InboxEntry) -> serde_json::Value {
    let as_text = || serde_json::Value::String(String::from_utf8_lossy(&entry.body).into_owned());
    let encoded = || serde_json::Value::String(base64::engine::general_purpose::STANDARD.encode(&entry.body));
    match entry.kind {
        InboxKind::OtlpProtobuf => {
            let decoded = ExportTraceServiceRequest::decode(entry.body.as_slice()).ok();
            decoded.and_then(|request| serde_json::to_value(request).ok()).unwrap_or_else(encoded)
        }
        InboxKind::OtlpLogsProtobuf => {
            let decoded = ExportLogsServiceRequest::decode(entry.body.as_slice()).ok();
            decoded.and_then(|request| serde_json::to_value(request).ok()).unwrap_or_else(encoded)
        }
        _ => serde_json::from_slice(&entry.body).unwrap_or_else(|_| as_text()),
    }
}

async fn raw(State(state): State<WebState>, visit: Visit, Path(id): Path<RunId>) -> Result<Response, PageError> {
    let payloads = state.app.list_run_payloads(&visit.who.actor, id).await?;
    if payloads.is_empty() {
        return Err(AppError::NotFound("payload").into());
    }
    let all: Vec<serde_json::Value> = payloads.iter().map(|entry| serde_json::json!({
        "id": entry.id, "received_at": entry.received_at.rfc3339(), "kind": entry.kind.as_str(), "bytes": entry.body.len(), "body": value_of(entry),
    })).collect();
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.json\"")),
        (CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, serde_json::to_vec_pretty(&all).unwrap_or_default()).into_response())
}
