//! A conversation without telemetry into steps: what a transcript lets one know of what happened.
//!
//! Each message of the assistant is the answer of one call of a model; each tool call in it is a step of its own,
//! paired with the tool's answer by the call's id, or by order where there are no ids. A model's step holds as its
//! input only what was said since the step before: the steps together are the conversation, once.

use steward_core::errors::of_tool_text;
use steward_core::money::Nanos;
use steward_core::step::{Message, Role, Step, StepError, StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_core::usage::Usage;

use crate::messages;

/// The most messages of one conversation that become steps.
const MAX_TURNS: usize = 5_000;

/// One message with what its source says beside it.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) message: Message,
    /// When it was there.
    pub(crate) at: Option<Timestamp>,
    pub(crate) usage: Option<Usage>,
    pub(crate) cost_nanos: Option<Nanos>,
    pub(crate) model: Option<String>,
    pub(crate) finish_reason: Option<String>,
    /// For a tool's answer: the source says that it is an error.
    pub(crate) failed: bool,
}

impl From<Message> for Turn {
    fn from(message: Message) -> Self {
        Self { message, at: None, usage: None, cost_nanos: None, model: None, finish_reason: None, failed: false }
    }
}

/// What all steps of a conversation share.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) trace_id: &'a str,
    pub(crate) dialect: &'a str,
    pub(crate) model: Option<&'a str>,
    pub(crate) provider: Option<&'a str>,
    /// When the conversation began; without times of their own, turns are a second apart from here on.
    pub(crate) started_at: Timestamp,
}

/// The id of the step around all others.
pub(crate) const ROOT: &str = "root";

/// Makes the steps inside a conversation. The root is made by the caller.
pub(crate) fn steps(turns: Vec<Turn>, shared: &Shared<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut since: Vec<Message> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut before = shared.started_at;
    for (n, turn) in turns.into_iter().take(MAX_TURNS).enumerate() {
        let seconds = i64::try_from(n).unwrap_or(i64::MAX).saturating_add(1);
        let at =
            turn.at.unwrap_or_else(|| shared.started_at.plus_micros(seconds.saturating_mul(1_000_000))).max(before);
        match turn.message.role {
            Role::Assistant => {
                let step = model_step(n, turn, std::mem::take(&mut since), shared, (before, at));
                let calls = step.output.first().map(|message| message.tool_calls.clone()).unwrap_or_default();
                steps.push(step);
                open.clear();
                for (nth, call) in calls.into_iter().enumerate() {
                    let mut asked = messages::plain(Role::Assistant, call.arguments);
                    asked.name = Some(call.name.clone());
                    asked.tool_call_id = call.id;
                    open.push(steps.len());
                    steps.push(Step {
                        trace_id: shared.trace_id.to_owned(),
                        span_id: format!("tool-{n}-{nth}"),
                        parent_span_id: Some(ROOT.to_owned()),
                        kind: StepKind::Tool,
                        name: call.name.clone(),
                        tool: Some(call.name),
                        started_at: at,
                        ended_at: at,
                        input: vec![asked],
                        reading: reading(shared),
                        ..Step::default()
                    });
                }
            }
            Role::Tool => {
                since.push(turn.message.clone());
                let id = turn.message.tool_call_id.as_deref();
                let paired = open.iter().position(|place| {
                    let asked = steps[*place].input.first().and_then(|message| message.tool_call_id.as_deref());
                    id.is_none() || asked.is_none() || asked == id
                });
                if let Some(place) = paired.map(|place| open.remove(place)) {
                    answer(&mut steps[place], turn, at);
                }
            }
            Role::System | Role::User => since.push(turn.message),
        }
        before = at;
    }
    steps
}

fn reading(shared: &Shared<'_>) -> steward_core::step::Reading {
    steward_core::step::Reading { dialect: shared.dialect.to_owned(), ..steward_core::step::Reading::default() }
}

fn model_step(
    n: usize,
    turn: Turn,
    mut since: Vec<Message>,
    shared: &Shared<'_>,
    (from, to): (Timestamp, Timestamp),
) -> Step {
    let model = turn.model.or_else(|| shared.model.map(str::to_owned));
    messages::bound(&mut since);
    Step {
        trace_id: shared.trace_id.to_owned(),
        span_id: format!("model-{n}"),
        parent_span_id: Some(ROOT.to_owned()),
        kind: StepKind::Model,
        name: model.as_deref().map_or_else(|| "chat".to_owned(), |model| format!("chat {model}")),
        started_at: from,
        ended_at: to,
        provider: shared.provider.map(str::to_owned),
        model,
        usage: turn.usage,
        cost_nanos: turn.cost_nanos,
        finish_reason: turn.finish_reason,
        input: since,
        output: vec![turn.message],
        reading: reading(shared),
        ..Step::default()
    }
}

fn answer(step: &mut Step, turn: Turn, at: Timestamp) {
    step.ended_at = at;
    step.output = vec![turn.message];
    step.error = of_tool_text(step);
    if turn.failed {
        step.status = StepStatus::Error;
        if step.error.is_none() {
            let text = step.output_text().to_owned();
            step.error = Some(StepError { code: Some("tool_error".to_owned()), ..crate::errors::error(None, text) });
        }
    }
}

/// The first thing that the other side said, in a line of at most 120 characters.
pub(crate) fn title<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Option<String> {
    let said = messages.into_iter().find(|message| message.role == Role::User && !message.text.trim().is_empty())?;
    let line = said.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut cut: String = line.chars().take(120).collect();
    if cut.len() < line.len() {
        cut.pop();
        cut.push('…');
    }
    Some(cut)
}
