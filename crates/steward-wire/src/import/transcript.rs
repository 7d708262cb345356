//! Conversations in OpenAI's form, as programs log them: messages, and beside them whatever the program knew.

use serde_json::Value;
use steward_core::outcome::Outcome;
use steward_core::step::{Message, Role, Step, StepKind};

use super::{INVENTED_TIMES_FROM, INVENTED_TIMES_NOTE, Imported};
use crate::conversation::{self, ROOT, Shared, Turn};
use crate::draft::finish_word;
use crate::fields::{Fields, instant};
use crate::native::trace_id;
use crate::text::sha256;
use crate::{errors, messages};

pub(super) fn read(value: Value, line: &str) -> Result<Imported, String> {
    let object = match value {
        Value::Object(object) => object,
        list @ Value::Array(_) => [("messages".to_owned(), list)].into_iter().collect(),
        _ => return Err("a transcript is an object with messages, or a list of messages".to_owned()),
    };
    let mut fields = Fields::new(object);
    let key = fields.key(&["id", "run_id"]).unwrap_or_else(|| sha256(line));
    let said = fields.list("messages");
    if said.is_empty() {
        return Err("the transcript has no messages".to_owned());
    }
    let turns: Vec<Turn> = said.into_iter().flat_map(turns_of).collect();
    if turns.is_empty() {
        return Err("none of the messages says who said what".to_owned());
    }
    let started = fields.instant(&["started_at", "start_time", "created", "created_at", "timestamp"])?;
    let ended = fields.instant(&["ended_at", "end_time", "finished_at"])?;
    let first = turns.iter().find_map(|turn| turn.at);
    let invented = started.is_none() && first.is_none() && ended.is_none();
    let started_at = started.or(first).or(ended).unwrap_or(INVENTED_TIMES_FROM);

    let trace_id = trace_id("import", &key);
    let mut root = Step {
        trace_id: trace_id.clone(),
        span_id: ROOT.to_owned(),
        kind: StepKind::Agent,
        started_at,
        status: fields.status(),
        error: fields.error("error"),
        model: fields.name(&["model"]),
        provider: fields.name(&["provider"]),
        agent: fields.name(&["agent"]),
        usage: fields.usage(),
        scores: fields.scores(),
        ..Step::default()
    };
    root.reading.dialect = "transcript".to_owned();
    let shared = Shared {
        trace_id: &trace_id,
        dialect: "transcript",
        model: root.model.as_deref(),
        provider: root.provider.as_deref(),
        started_at,
    };
    let title = conversation::title(turns.iter().map(|turn| &turn.message));
    let (asked, answered) = ends(&turns);
    let mut steps = conversation::steps(turns, &shared);
    let last = steps.iter().map(|step| step.ended_at).max().unwrap_or(started_at);
    root.ended_at = ended.unwrap_or(last).max(started_at);
    root.input.extend(asked);
    root.output.extend(answered);

    let declared = root.declare();
    declared.ended = true;
    declared.title = fields.name(&["title"]).or(title);
    declared.workflow = fields.name(&["workflow"]);
    declared.conversation_id = fields.name(&["conversation_id", "session_id", "thread_id"]);
    declared.user_id = fields.name(&["user_id", "user"]);
    declared.release = fields.name(&["release", "version"]);
    declared.environment = fields.name(&["environment"]);
    declared.test = fields.truth("test");
    declared.cost_nanos = fields.money(&["cost_usd"]);
    declared.outcome_reason = fields.name(&["outcome_reason"]);
    let outcome = fields.name(&["outcome"]);
    declared.outcome = outcome.as_deref().and_then(Outcome::parse);
    if let (Some(word), None) = (outcome, declared.outcome) {
        fields.note(format!("the outcome “{word}” is none that is known"));
    }
    root.name = declared.workflow.clone().unwrap_or_else(|| "conversation".to_owned());
    let metadata = fields.object("metadata");
    Fields::attributes(&mut root, metadata);
    if invented {
        fields.note(INVENTED_TIMES_NOTE);
        for step in &mut steps {
            step.reading.notes.push(INVENTED_TIMES_NOTE.to_owned());
        }
    }
    fields.close(&mut root);
    steps.insert(0, root);
    Ok(Imported { key, steps })
}

/// What was asked first and answered last.
pub(super) fn ends(turns: &[Turn]) -> (Option<Message>, Option<Message>) {
    let asked = turns.iter().find(|turn| turn.message.role == Role::User);
    let answered =
        turns.iter().rev().find(|turn| turn.message.role == Role::Assistant && !turn.message.text.is_empty());
    (asked.map(|turn| turn.message.clone()), answered.map(|turn| turn.message.clone()))
}

/// A message with what stands beside it; one with several tools' answers is several turns.
pub(super) fn turns_of(message: Value) -> Vec<Turn> {
    let Value::Object(object) = message else { return Vec::new() };
    let mut fields = Fields::new(object.clone());
    let at = ["timestamp", "created_at", "created", "at", "time"]
        .iter()
        .find_map(|key| object.get(*key).and_then(instant))
        .filter(|at| at.is_plausible());
    let usage = fields.usage();
    let cost_nanos = fields.money(&["cost_usd", "cost"]);
    let model = fields.name(&["model"]);
    let finish_reason = fields.name(&["finish_reason"]).map(finish_word);
    let failed = fields.truth("error") || fields.truth("is_error");
    if !object.get("role").is_some_and(Value::is_string) {
        return Vec::new();
    }
    let mut turns: Vec<Turn> = messages::from_json(Value::Object(object), Role::User)
        .into_iter()
        .map(|message| Turn { at, failed, ..Turn::from(message) })
        .collect();
    if let Some(turn) = turns.iter_mut().find(|turn| turn.message.role == Role::Assistant) {
        (turn.usage, turn.cost_nanos, turn.model, turn.finish_reason) = (usage, cost_nanos, model, finish_reason);
    }
    turns
}

/// Makes an error of the word of a source that a run went wrong.
pub(super) fn run_error(reason: &str) -> steward_core::step::StepError {
    errors::error(Some(reason.to_owned()), format!("the run ended: {reason}"))
}
