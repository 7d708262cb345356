//! What platforms tell of a call or an execution in common, and how it becomes steps.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::{Message, Role, Score, Step, StepError, StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_core::usage::Usage;

use super::ends::{self, EndClass, Ending, read_reason};
use super::{Context, Platform};
use crate::conversation::{self, ROOT, Shared, Turn};
use crate::errors::{self, MAX_MESSAGE_CHARS};
use crate::fields::{Fields, instant, number};
use crate::messages;
use crate::native;
use crate::text::{MAX_ATTRIBUTE_CHARS, bounded, name};

/// Keys of the attributes that readers of platforms keep, so that whoever looks for one need not guess.
pub mod attributes {
    /// Why it ended, as the platform says it.
    pub const END_REASON: &str = "end.reason";
    /// Whose doing that was: `config`, `money`, `provider`, `platform`, `caller`, `agent`; missing when unknown.
    pub const END_CLASS: &str = "end.class";
    /// `true` where money was what was missing.
    pub const MONEY_FAULT: &str = "end.money_fault";
    /// `inbound` or `outbound`.
    pub const DIRECTION: &str = "call.direction";
    /// The number that called.
    pub const FROM: &str = "call.from";
    /// The number that was called.
    pub const TO: &str = "call.to";
    /// Where the recording is. Links of some platforms expire within a day.
    pub const RECORDING: &str = "recording.url";
    /// The platform's summary.
    pub const SUMMARY: &str = "summary";
    /// The agent, by the platform's id.
    pub const AGENT_ID: &str = "agent.id";
    /// The client, where whoever set the agent up put it into the platform's metadata.
    pub const CLIENT_ID: &str = "client_id";
    /// Where a person can look at it on the platform.
    pub const LINK: &str = "link";
    /// Before a part's name: what that part cost, in nano-US-dollars.
    pub const COST_OF: &str = "cost_nanos.";
    /// What it cost in the platform's own credits.
    pub const CREDITS: &str = "cost.credits";
    /// Before a field's name: what the platform took out of the conversation.
    pub const FIELD: &str = "field.";
    /// Before a field's name: what whoever set the agent up sent along.
    pub const METADATA: &str = "metadata.";
}

/// The most attributes of one step.
const MAX_ATTRIBUTES: usize = 64;
/// The most characters of a link: signed ones are long, and cut ones are none.
const MAX_LINK_CHARS: usize = 2_048;
/// The most fields of one object that become attributes.
const MAX_FIELDS: usize = 24;
/// The most judgements of one report.
const MAX_SCORES: usize = 50;

/// It goes on.
pub(super) const GOES_ON: u8 = 0;
/// It ended, and little more is said.
pub(super) const ENDED: u8 = 1;
/// It ended, and this is what happened.
pub(super) const REPORTED: u8 = 2;
/// It was looked at after it ended.
pub(super) const ANALYSED: u8 = 3;

/// What a platform tells of one call or execution.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) platform: Platform,
    pub(super) trace_id: String,
    pub(super) phase: u8,
    pub(super) kind: StepKind,
    /// The agent's or workflow's name, else its id.
    pub(super) name: Option<String>,
    /// The workflow by an id that all phases tell.
    pub(super) workflow: Option<String>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) duration_ms: Option<i64>,
    /// When this was said, where the platform tells it.
    pub(super) said_at: Option<Timestamp>,
    received_at: Timestamp,
    pub(super) status: StepStatus,
    pub(super) error: Option<StepError>,
    pub(super) ending: Ending,
    pub(super) reason: Option<String>,
    pub(super) outcome: Option<Outcome>,
    pub(super) scores: Vec<Score>,
    pub(super) turns: Vec<Turn>,
    pub(super) model: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) usage: Option<Usage>,
    pub(super) cost_nanos: Option<Nanos>,
    pub(super) estimated: bool,
    pub(super) title: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) conversation_id: Option<String>,
    pub(super) release: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) test: bool,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) notes: Vec<String>,
    pub(super) unmapped: Vec<String>,
    /// Steps of its own beside those of the conversation; parent and phase are set where they are missing.
    pub(super) steps: Vec<Step>,
}

impl Report {
    pub(super) fn new(context: Context<'_>, key: &str, phase: u8) -> Self {
        let scoped = context.platform.has_local_ids() && !context.scope.is_empty();
        let key = if scoped { format!("{}/{key}", context.scope) } else { key.to_owned() };
        Self {
            platform: context.platform,
            trace_id: native::trace_id(context.platform.as_str(), &key),
            phase,
            kind: StepKind::Agent,
            name: None,
            workflow: None,
            started_at: None,
            ended_at: None,
            duration_ms: None,
            said_at: None,
            received_at: context.received_at,
            status: StepStatus::Unset,
            error: None,
            ending: Ending::default(),
            reason: None,
            outcome: None,
            scores: Vec::new(),
            turns: Vec::new(),
            model: None,
            provider: None,
            usage: None,
            cost_nanos: None,
            estimated: false,
            title: None,
            user_id: None,
            conversation_id: None,
            release: None,
            environment: None,
            test: false,
            attributes: BTreeMap::new(),
            notes: Vec::new(),
            unmapped: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Takes an instant; what is none, or lies outside of 2000 to 2100, is left out with a note.
    pub(super) fn instant(&mut self, fields: &mut Fields, keys: &[&str]) -> Option<Timestamp> {
        let value = fields.take(keys)?;
        let at = instant(&value).filter(|at| at.is_plausible());
        if at.is_none() {
            self.note(format!("{} is no time between 2000 and 2100 and was left out", keys[0]));
        }
        at
    }

    /// Takes milliseconds that are told in some unit. Negative and broken ones are left out.
    pub(super) fn duration(&mut self, fields: &mut Fields, key: &str, ms_per_unit: f64) -> Option<i64> {
        let value = fields.take(&[key])?;
        let ms =
            number(&value).map(|n| n * ms_per_unit).filter(|ms| (0.0..1e12).contains(ms)).map(|ms| ms.round() as i64);
        if ms.is_none() {
            self.note(format!("{key} is negative or no number and was left out"));
        }
        ms
    }

    pub(super) fn note(&mut self, words: impl Into<String>) {
        if self.notes.len() < 20 {
            self.notes.push(words.into());
        }
    }

    /// Keeps a value as an attribute, while there is room.
    pub(super) fn keep(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let value = value.into();
        if self.attributes.len() < MAX_ATTRIBUTES && !value.is_null() {
            let text = messages::json_text(value);
            if !text.is_empty() {
                self.attributes.insert(name(key.into()), bounded(text, MAX_ATTRIBUTE_CHARS));
            }
        }
    }

    /// Keeps a link, which is long or worth nothing.
    pub(super) fn keep_link(&mut self, key: &str, link: Option<Value>) {
        if let Some(Value::String(link)) = link
            && link.len() <= MAX_LINK_CHARS
            && !link.is_empty()
        {
            self.attributes.insert(key.to_owned(), link);
        }
    }

    /// Keeps the fields of an object under a prefix.
    pub(super) fn keep_all(&mut self, prefix: &str, object: Map<String, Value>) {
        for (key, value) in object.into_iter().take(MAX_FIELDS) {
            self.keep(format!("{prefix}{key}"), value);
        }
    }

    /// Reads what whoever set the agent up sent along: the client, whether it is a test, and the rest as it is.
    pub(super) fn metadata(&mut self, object: Map<String, Value>) {
        let truth = |value: &Value| match value {
            Value::Bool(flag) => *flag,
            Value::String(word) => word.eq_ignore_ascii_case("true"),
            _ => false,
        };
        self.test |=
            ["test", "is_test", "isTest", "steward_test"].iter().any(|key| object.get(*key).is_some_and(truth));
        if let Some(environment) = object.get("environment").and_then(Value::as_str) {
            self.environment.get_or_insert_with(|| name(environment.to_owned()));
        }
        if let Some(client) = object.get("client_id").or_else(|| object.get("clientId")) {
            self.keep(attributes::CLIENT_ID, client.clone());
        }
        self.keep_all(attributes::METADATA, object);
    }

    /// Keeps what a part cost, in addition to what is kept for it already.
    pub(super) fn keep_cost(&mut self, part: &str, nanos: Nanos) {
        let key = format!("{}{}", attributes::COST_OF, bounded(part.to_owned(), 64));
        let known = self.attributes.get(&key).and_then(|text| text.parse().ok()).unwrap_or(0);
        self.keep(key, nanos.plus(Nanos(known)).0.to_string());
    }

    /// Takes the reason of the end, and what it says.
    pub(super) fn ended_by(&mut self, reason: Option<String>) {
        if let Some(reason) = reason {
            self.ending = read_reason(&reason);
            self.reason = Some(reason);
        }
    }

    pub(super) fn score(&mut self, score: Score) {
        if self.scores.len() < MAX_SCORES {
            self.scores.push(score);
        }
    }

    /// Takes the platform's own word on whether the run did its job.
    pub(super) fn judged(&mut self, success: bool, explanation: Option<String>) {
        self.score(Score {
            name: SUCCESS.to_owned(),
            value: Some(if success { 1.0 } else { 0.0 }),
            label: Some(if success { "success" } else { "failure" }.to_owned()),
            explanation: explanation.map(|text| bounded(text, MAX_MESSAGE_CHARS)),
            by_human: false,
        });
    }

    /// The run as steps: its root, what was said, and what was done.
    ///
    /// # Errors
    ///
    /// When nothing tells a time.
    pub(super) fn into_steps(mut self) -> Result<Vec<Step>, String> {
        let (started_at, ended_at) = self.times()?;
        let mut root = self.bare(ROOT.to_owned(), started_at, ended_at);
        root.kind = self.kind;
        root.agent = self.name.clone();
        root.name = self.name.take().or_else(|| self.workflow.clone()).unwrap_or_else(|| "run".to_owned());
        root.model = self.model.take();
        root.provider = self.provider.take();
        root.usage = self.usage;
        root.estimated = self.estimated && self.usage.is_some();
        self.settle_end(&mut root);
        let shared = Shared {
            trace_id: &self.trace_id,
            dialect: self.platform.as_str(),
            model: root.model.as_deref(),
            provider: root.provider.as_deref(),
            started_at,
        };
        let title = self.title.take().or_else(|| conversation::title(self.turns.iter().map(|turn| &turn.message)));
        root.input.extend(self.turns.iter().map(|turn| &turn.message).find(|m| m.role == Role::User).cloned());
        let answered = |m: &&Message| m.role == Role::Assistant && !m.text.is_empty();
        root.output.extend(self.turns.iter().rev().map(|turn| &turn.message).find(answered).cloned());
        let inner = conversation::steps(std::mem::take(&mut self.turns), &shared);
        root.scores = std::mem::take(&mut self.scores);
        let declared = root.declare();
        declared.ended = true;
        declared.title = title;
        declared.outcome = self.outcome;
        declared.outcome_reason = self.reason.clone().filter(|_| self.outcome.is_some());
        declared.workflow = self.workflow.take();
        declared.conversation_id = self.conversation_id.take();
        declared.user_id = self.user_id.take();
        declared.release = self.release.take();
        declared.environment = self.environment.take();
        declared.test = self.test;
        declared.cost_nanos = self.cost_nanos;
        declared.cost_estimated = self.estimated && self.cost_nanos.is_some();
        root.attributes = std::mem::take(&mut self.attributes);
        self.unmapped.truncate(50);
        root.reading.unmapped = std::mem::take(&mut self.unmapped);
        root.reading.notes = std::mem::take(&mut self.notes);
        let mut steps = vec![root];
        steps.extend(inner);
        for mut step in std::mem::take(&mut self.steps) {
            step.parent_span_id.get_or_insert_with(|| ROOT.to_owned());
            steps.push(step);
        }
        for step in &mut steps {
            step.reading.phase = step.reading.phase.max(self.phase);
            // What was said last may have been heard after the end that is told.
            step.ended_at = step.ended_at.clamp(step.started_at, step.started_at.max(ended_at));
        }
        Ok(steps)
    }

    /// That the run goes on, as one step inside a root that is still to come.
    ///
    /// # Errors
    ///
    /// When nothing tells a time.
    pub(super) fn into_sign_of_life(mut self, word: &str) -> Result<Vec<Step>, String> {
        let at = self.said_at.or(self.started_at).unwrap_or(self.received_at);
        if !at.is_plausible() {
            return Err(NO_TIME.to_owned());
        }
        let mut step = self.bare(format!("status-{}", name(word.to_owned())), at, at);
        step.parent_span_id = Some(ROOT.to_owned());
        step.kind = StepKind::Other;
        step.name = name(word.to_owned());
        step.status = StepStatus::Unset;
        step.error = self.error.take();
        if step.error.is_some() {
            // Only what does something has an error of its own.
            step.kind = StepKind::Guardrail;
            step.status = StepStatus::Error;
        }
        step.reading.phase = GOES_ON;
        let declared = step.declare();
        declared.workflow = self.workflow.take();
        declared.conversation_id = self.conversation_id.take();
        declared.user_id = self.user_id.take();
        declared.release = self.release.take();
        declared.environment = self.environment.take();
        declared.test = self.test;
        step.attributes = std::mem::take(&mut self.attributes);
        step.reading.unmapped = std::mem::take(&mut self.unmapped);
        step.reading.notes = std::mem::take(&mut self.notes);
        Ok(vec![step])
    }

    /// A step of this run that says nothing yet.
    pub(super) fn bare(&self, span_id: String, started_at: Timestamp, ended_at: Timestamp) -> Step {
        let mut step = Step {
            trace_id: self.trace_id.clone(),
            span_id,
            started_at,
            ended_at: ended_at.max(started_at),
            ..Step::default()
        };
        step.reading.dialect = self.platform.as_str().to_owned();
        step.reading.phase = self.phase;
        step
    }

    /// When it started and ended, as far as anything tells.
    pub(super) fn times(&mut self) -> Result<(Timestamp, Timestamp), String> {
        let known = self.started_at.or(match (self.ended_at, self.duration_ms) {
            (Some(ended), Some(ms)) => Some(ended.plus_ms(-ms)),
            (ended, _) => ended,
        });
        let started_at = match known.or(self.said_at) {
            Some(at) => at,
            None if self.received_at.is_plausible() => {
                self.note("it tells no time of its own, so it stands where it was received");
                self.received_at
            }
            None => return Err(NO_TIME.to_owned()),
        };
        let mut ended_at = self.ended_at.or(self.duration_ms.map(|ms| started_at.plus_ms(ms))).unwrap_or(started_at);
        if ended_at < started_at {
            self.note("it ended before it started");
            ended_at = started_at;
        }
        (self.started_at, self.ended_at) = (Some(started_at), Some(ended_at));
        Ok((started_at, ended_at))
    }

    /// What the end says of status, error and outcome.
    fn settle_end(&mut self, root: &mut Step) {
        root.status = self.status;
        root.error = self.error.take();
        if let Some(reason) = &self.reason {
            let reason = bounded(reason.clone(), MAX_ATTRIBUTE_CHARS);
            self.attributes.insert(attributes::END_REASON.to_owned(), reason);
        }
        if let Some(class) = self.ending.class {
            self.attributes.insert(attributes::END_CLASS.to_owned(), class.as_str().to_owned());
        }
        if self.ending.is_fault {
            root.status = StepStatus::Error;
            let reason = self.reason.as_deref().unwrap_or_default();
            let error = root.error.get_or_insert_with(|| {
                errors::error(Some(reason.to_owned()), format!("it ended by “{}”", bounded(reason.to_owned(), 200)))
            });
            if let Some(class) = ends::error_class(&self.ending, reason) {
                error.class = class;
            }
        } else if self.ending.class.is_some() && root.status == StepStatus::Unset {
            root.status = StepStatus::Ok;
        }
        if root.error.is_some() && root.status == StepStatus::Unset {
            root.status = StepStatus::Error;
        }
        let is_money = root.error.as_ref().is_some_and(StepError::is_money_fault)
            || self.steps.iter().any(|step| step.error.as_ref().is_some_and(StepError::is_money_fault));
        if is_money {
            self.attributes.insert(attributes::MONEY_FAULT.to_owned(), "true".to_owned());
            self.attributes.insert(attributes::END_CLASS.to_owned(), EndClass::Money.as_str().to_owned());
        }
        // A judgement of the whole conversation says more than that the other side fell silent in the end.
        let judged = self.scores.iter().any(|score| score.name == SUCCESS);
        self.outcome = self.outcome.or(self.ending.outcome.filter(|outcome| *outcome != Outcome::Abandoned || !judged));
    }
}

/// The name of the judgement that decides an outcome.
pub(super) const SUCCESS: &str = "success";

const NO_TIME: &str = "it tells no time, and the time at which it was received is not known";

/// An error whose words may say that money is missing.
pub(super) fn error(code: Option<String>, message: String) -> StepError {
    let about_money = ends::says_money(&message) || code.as_deref().is_some_and(ends::says_money);
    let mut error = errors::error(code, message);
    if about_money {
        error.class = steward_core::step::ErrorClass::Money;
    }
    error
}

/// Lines of a transcript that begin with who speaks: `AI: …`, `User: …`. Lines without go on with the one before.
pub(super) fn turns_of_text(text: &str) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let said = line
            .split_once(':')
            .and_then(|(who, words)| Some((messages::role_of(&who.trim().to_ascii_lowercase())?, words)));
        match (said, turns.last_mut()) {
            (Some((role, words)), _) => turns.push(messages::plain(role, words.trim().to_owned()).into()),
            (None, Some(turn)) if turn.message.text.len() < steward_core::step::MAX_CONTENT_CHARS => {
                turn.message.text.push('\n');
                turn.message.text.push_str(line.trim());
                turn.message.text = crate::text::content(std::mem::take(&mut turn.message.text));
            }
            (None, Some(_)) => {}
            (None, None) => turns.push(messages::plain(Role::Assistant, line.trim().to_owned()).into()),
        }
    }
    turns
}

/// An amount of money in cents of a dollar. `None` when it is negative or no number.
pub(super) fn of_cents(value: &Value) -> Option<Nanos> {
    number(value).and_then(|cents| Nanos::from_units(cents / 100.0)).filter(|nanos| nanos.0 >= 0)
}

/// An amount of money in dollars. `None` when it is negative or no number.
pub(super) fn of_dollars(value: &Value) -> Option<Nanos> {
    number(value).and_then(Nanos::from_units).filter(|nanos| nanos.0 >= 0)
}

/// A number of tokens or the like. `None` when it is negative or no number.
pub(super) fn count(value: Option<Value>) -> Option<u64> {
    number(&value?).filter(|n| *n >= 0.0).map(|n| n.round() as u64)
}
