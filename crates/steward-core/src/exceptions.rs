//! Exceptions: what went wrong in a run that a person should look at, each thing once.
//!
//! What a run says of one fault is looked for in this order, and the first that says anything decides: the error that
//! a step carries (its type, its event, its code, its status), the error that a tool's answer says in words, why the
//! model stopped, what a guardrail found. Then come what a client flagged, an answer that is empty or refused, broken
//! expectations, and last the end of the run itself. A step that only passes on what went wrong inside it adds
//! nothing, and neither does an end that only repeats it.
//!
//! Invariant: [`RunFacts::n_exceptions`] is the length of [`RunFacts::exceptions`]; there is no other count.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::derive::{StepErrors, Tree, repeated_calls};
use crate::expectations::Spoken;
use crate::ids::{AgencyId, ExceptionId};
use crate::outcome::{EvidenceKind, Outcome};
use crate::run::RunFacts;
use crate::step::{ErrorClass, Role, Score, Step, StepKind, cut_text};
use crate::time::Timestamp;
use crate::workflow::WorkflowSettings;

/// The most exceptions that a run has; a run with more is a fault in a loop, which these tell.
pub const MAX_EXCEPTIONS: usize = 200;
/// The most characters of an exception's message.
pub const MAX_MESSAGE_CHARS: usize = 500;
/// The most characters of a code or of a name.
const MAX_NAME_CHARS: usize = 120;
/// How many steps around a fault are asked whether they repeat it.
const MAX_DEPTH: usize = 64;
/// The attribute by which a client flags a step or a run.
pub const FLAG_ATTRIBUTE: &str = "steward.flag";
/// What is said of an error that says nothing.
const SAYS_NOTHING: &str = "it failed and did not say why";

/// What sort of exception it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// A call went wrong.
    Error,
    /// Something did not fit its schema, or a guardrail refused it.
    Validation,
    /// A limit was hit: of length, of turns.
    Limit,
    /// The model would not answer.
    Refusal,
    /// The last answer was empty.
    Empty,
    /// The client, or somebody on the other side, flagged it.
    Flag,
    /// An expectation of the workflow was broken.
    Expectation,
    /// It was handed to a person.
    Escalation,
    /// It did not do its job, and nothing else says why.
    Failure,
}

impl ExceptionKind {
    /// Every kind, in the order in which they are looked for.
    pub const ALL: [Self; 9] = [
        Self::Error,
        Self::Validation,
        Self::Limit,
        Self::Refusal,
        Self::Empty,
        Self::Flag,
        Self::Expectation,
        Self::Escalation,
        Self::Failure,
    ];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Validation => "validation",
            Self::Limit => "limit",
            Self::Refusal => "refusal",
            Self::Empty => "empty",
            Self::Flag => "flag",
            Self::Expectation => "expectation",
            Self::Escalation => "escalation",
            Self::Failure => "failure",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One thing in a run that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Tells it from the others of its run, and stays when the run is read again.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// What sort it is.
    pub kind: ExceptionKind,
    /// What kind of step it happened in; `None` for the run as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StepKind>,
    /// The step, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The agent at work; empty when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
    /// The tool; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tool: String,
    /// The model of the step, else the one that the run called most; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The class of the error; `None` for what is no error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// The code: an exception's type, an HTTP status, the word of an expectation; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What it says, in one line.
    pub message: String,
}

impl Exception {
    /// Its id, which follows from its run's key and its own, so that it outlives a rebuild.
    #[must_use]
    pub fn id(&self, agency: AgencyId, run_key: &str) -> ExceptionId {
        let mut hash = Sha256::new();
        hash.update(agency.as_uuid().as_bytes());
        hash.update(run_key.as_bytes());
        hash.update([0]);
        hash.update(self.key.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        // A UUID of version 8: made of something else than time or chance.
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        ExceptionId::from_uuid(Uuid::from_bytes(bytes))
    }

    /// The word for where it happened: a kind of step, or `run`.
    #[must_use]
    pub fn stage_word(&self) -> &'static str {
        self.stage.map_or("run", StepKind::as_str)
    }
}

/// What is known of an exception before its place in the run is looked up.
struct Found {
    kind: ExceptionKind,
    class: Option<ErrorClass>,
    code: String,
    message: String,
}

/// Finds what went wrong in a run. `facts` are those of the same steps, and say nothing of exceptions yet.
pub(crate) fn extract(
    facts: &RunFacts,
    steps: &[Step],
    tree: &Tree,
    errors: &StepErrors,
    settings: &WorkflowSettings,
) -> Vec<Exception> {
    let mut found: Vec<Option<Found>> = (0..steps.len()).map(|i| of_step(&steps[i], errors, i)).collect();
    if facts.finished {
        of_last_answer(steps, tree, &mut found);
    }
    drop_repeated(steps, tree, &mut found);
    let mut run = Extraction { facts, steps, tree, model: main_model(facts), all: Vec::new() };
    for (i, found) in found.into_iter().enumerate() {
        if let Some(found) = found {
            run.add("call", Some(i), found);
        }
        if let Some(found) = flag_of(&steps[i], facts) {
            run.add("flag", Some(i), found);
        }
    }
    if facts.finished {
        if !settings.expectations.is_empty() {
            let spoken = Spoken::of(steps, tree);
            for expectation in &settings.expectations {
                if let Some(broken) = expectation.check(facts, steps, tree, &spoken) {
                    let found = Found {
                        kind: ExceptionKind::Expectation,
                        class: None,
                        code: expectation.word().to_owned(),
                        message: broken.words,
                    };
                    run.add(&format!("expectation {}", expectation.identity()), broken.step, found);
                }
            }
        }
        run.add_end();
    }
    run.all.sort_by(|a, b| (a.at, a.kind, &a.key).cmp(&(b.at, b.kind, &b.key)));
    // Two settings that say the same are one expectation.
    let mut seen = HashSet::new();
    run.all.retain(|exception| seen.insert(exception.key.clone()));
    run.all.truncate(MAX_EXCEPTIONS);
    run.all
}

/// What a step says of itself.
fn of_step(step: &Step, errors: &StepErrors, i: usize) -> Option<Found> {
    if let Some(error) = &errors[i] {
        let code = error.code.clone().unwrap_or_default();
        let kind = if error.class == ErrorClass::Validation {
            ExceptionKind::Validation
        } else if is_limit(&code, &error.message) {
            ExceptionKind::Limit
        } else {
            ExceptionKind::Error
        };
        return Some(Found { kind, class: Some(error.class), code, message: one_line(&error.message) });
    }
    if step.kind == StepKind::Model {
        return step.finish_reason.as_deref().and_then(of_finish_reason);
    }
    if step.kind == StepKind::Guardrail {
        let score = step.scores.iter().find(|score| score.label.as_deref().is_some_and(is_failing))?;
        let message = format!("{} failed{}", score.name, explained(score));
        return Some(Found {
            kind: ExceptionKind::Validation,
            class: None,
            code: score.name.clone(),
            message: one_line(&message),
        });
    }
    None
}

fn of_finish_reason(reason: &str) -> Option<Found> {
    let reason = reason.to_ascii_lowercase();
    let (kind, message) = match reason.as_str() {
        "length" | "max_tokens" | "max_output_tokens" | "model_length" => {
            (ExceptionKind::Limit, "the answer was cut off at the limit of its length")
        }
        "content_filter" | "safety" | "refusal" | "recitation" | "blocklist" | "prohibited_content" | "spii" => {
            (ExceptionKind::Refusal, "the model was kept from answering")
        }
        "error" | "failed" | "malformed_function_call" => (ExceptionKind::Error, "the model stopped with an error"),
        _ => return None,
    };
    let class = (kind == ExceptionKind::Error).then_some(ErrorClass::Other);
    Some(Found { kind, class, code: reason, message: message.to_owned() })
}

/// Whether an error says that a limit of turns, steps or time was hit.
fn is_limit(code: &str, message: &str) -> bool {
    let text: String = code.chars().chain(" ".chars()).chain(message.chars().take(300)).collect();
    let text = text.to_ascii_lowercase();
    [
        "recursionerror",
        "recursion limit",
        "max iterations",
        "maximum iterations",
        "max turns",
        "maxturnsexceeded",
        "max_turns",
        "maximum number of turns",
        "maximum number of steps",
        "iteration limit",
    ]
    .iter()
    .any(|words| text.contains(words))
}

fn is_failing(label: &str) -> bool {
    let label = label.trim().to_ascii_lowercase();
    matches!(
        label.as_str(),
        "fail" | "failed" | "failure" | "false" | "no" | "incorrect" | "bad" | "blocked" | "unsafe"
    )
}

fn explained(score: &Score) -> String {
    score
        .explanation
        .as_deref()
        .filter(|text| !text.trim().is_empty())
        .map_or_else(String::new, |text| format!(": {text}"))
}

/// What the last answer of the run lacks, where its step says nothing of it.
fn of_last_answer(steps: &[Step], tree: &Tree, found: &mut [Option<Found>]) {
    let has_inner_model = tree.with_inner(steps, |step| step.kind == StepKind::Model);
    let models = (0..steps.len()).filter(|i| steps[*i].kind == StepKind::Model && !has_inner_model[*i]);
    let Some(last) = models.max_by_key(|i| (steps[*i].ended_at, steps[*i].started_at)) else { return };
    let step = &steps[last];
    let mut answers = step.output.iter().filter(|message| message.role == Role::Assistant).peekable();
    // An answer of which nothing was kept is not empty.
    if found[last].is_some() || step.reading.without_content || answers.peek().is_none() {
        return;
    }
    let answers: Vec<_> = answers.collect();
    let of = |kind: ExceptionKind, code: &str, message: &str| {
        Some(Found { kind, class: None, code: code.to_owned(), message: message.to_owned() })
    };
    if answers.iter().all(|message| message.text.trim().is_empty() && message.tool_calls.is_empty()) {
        found[last] = of(ExceptionKind::Empty, "empty_answer", "the last answer was empty");
    } else if answers.last().is_some_and(|message| message.tool_calls.is_empty() && is_refusal(&message.text)) {
        found[last] = of(ExceptionKind::Refusal, "refused_answer", "the model said that it cannot help");
    }
}

/// Whether an answer is nothing but a model's refusal. What an agent explains at length is its job, and no refusal.
fn is_refusal(text: &str) -> bool {
    let plain: String = text
        .chars()
        .take(200)
        .filter_map(|c| match c {
            '’' => Some('\''),
            '.' | ',' | '!' => None,
            c => Some(c.to_ascii_lowercase()),
        })
        .collect();
    if text.chars().nth(160).is_some() {
        return false;
    }
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = plain.as_str();
    for opening in ["i'm sorry ", "i am sorry ", "sorry ", "i apologize ", "but "] {
        rest = rest.strip_prefix(opening).unwrap_or(rest);
    }
    let cannot =
        ["i can't ", "i cannot ", "i'm unable to ", "i am unable to ", "i'm not able to ", "i am not able to "];
    let does = ["assist", "help"];
    let ends = [
        "",
        " with that",
        " with this",
        " you with that",
        " you with this",
        " with that request",
        " with this request",
    ];
    cannot
        .iter()
        .filter_map(|start| rest.strip_prefix(start))
        .any(|rest| does.iter().filter_map(|verb| rest.strip_prefix(verb)).any(|rest| ends.contains(&rest)))
}

/// Takes away what steps only pass on, and second reports of one call.
fn drop_repeated(steps: &[Step], tree: &Tree, found: &mut [Option<Found>]) {
    let at: Vec<usize> = (0..found.len()).filter(|i| found[*i].is_some()).collect();
    if at.len() < 2 {
        return;
    }
    if at.iter().filter(|i| steps[**i].kind == StepKind::Model).count() > 1 {
        for (i, repeated) in repeated_calls(steps, tree).into_iter().enumerate() {
            if repeated {
                found[i] = None;
            }
        }
    }
    for i in at {
        let mut around = tree.parent[i];
        for _ in 0..MAX_DEPTH {
            let Some(outer) = around else { break };
            if let (Some(inner), Some(outside)) = (&found[i], &found[outer])
                && repeats(&steps[outer], outside, inner)
            {
                found[outer] = None;
            }
            around = tree.parent[outer];
        }
    }
}

/// Whether what stands around a fault says no more than the fault itself.
fn repeats(step: &Step, outer: &Found, inner: &Found) -> bool {
    let says_nothing = |found: &Found| found.message.is_empty() || found.message == found.code;
    let is_call = step.kind == StepKind::Tool || step.kind.is_inference();
    if outer.message == inner.message || says_nothing(outer) && (!is_call || outer.class == inner.class) {
        return true;
    }
    let (a, b) = (outer.message.trim_end_matches("… [cut]"), inner.message.trim_end_matches("… [cut]"));
    if !b.is_empty() && a.contains(b) || !a.is_empty() && b.contains(a) {
        return true;
    }
    !is_call && !outer.code.is_empty() && outer.code == inner.code && outer.class == inner.class
}

/// What somebody flagged: the sender by an attribute, or a person by a score that does not decide the outcome.
fn flag_of(step: &Step, facts: &RunFacts) -> Option<Found> {
    let flag = |code: &str, message: String| {
        Some(Found { kind: ExceptionKind::Flag, class: None, code: code.to_owned(), message })
    };
    if let Some(text) = step.attributes.get(FLAG_ATTRIBUTE).filter(|text| !text.is_empty() && text.as_str() != "false")
    {
        let says = if text == "true" { "the sender flagged it".to_owned() } else { one_line(text) };
        return flag("flag", says);
    }
    let decides =
        facts.evidence_kind() == EvidenceKind::Score && facts.evidence.span_id.as_ref() == Some(&step.span_id);
    let score = step.scores.iter().find(|score| {
        let bad = score.label.as_deref().is_some_and(is_failing) || score.value.is_some_and(|value| value <= 0.0);
        score.by_human && bad && !decides
    })?;
    let said = score.label.clone().or_else(|| score.value.map(|value| value.to_string())).unwrap_or_default();
    flag(&score.name, one_line(&format!("{}: {said}{}", score.name, explained(score))))
}

/// The model that a run called most.
fn main_model(facts: &RunFacts) -> &str {
    // Of equals the first by name.
    let most = facts.models.iter().rev().max_by_key(|model| model.calls);
    most.map_or("", |model| model.name.as_str())
}

struct Extraction<'a> {
    facts: &'a RunFacts,
    steps: &'a [Step],
    tree: &'a Tree,
    model: &'a str,
    all: Vec<Exception>,
}

impl Extraction<'_> {
    /// Adds what was found; `source` tells what may be found in one step from each other.
    fn add(&mut self, source: &str, step: Option<usize>, found: Found) {
        let place = step.map(|i| &self.steps[i]);
        let stage = place.filter(|_| !matches!(found.kind, ExceptionKind::Escalation | ExceptionKind::Failure));
        let code = one_line(&found.code);
        let message = match found.message {
            said if !said.is_empty() => said,
            _ if !code.is_empty() => code.clone(),
            _ => SAYS_NOTHING.to_owned(),
        };
        let own_model = place.and_then(|step| step.model.as_deref());
        self.all.push(Exception {
            key: key_of(source, place.filter(|_| source == "call" || source == "flag")),
            at: place.map_or(self.facts.ended_at, |step| step.ended_at),
            kind: found.kind,
            stage: stage.map(|step| step.kind),
            span_id: place.map(|step| step.span_id.clone()),
            agent: step.map_or_else(String::new, |i| self.agent_of(i)),
            tool: place
                .filter(|step| step.kind == StepKind::Tool)
                .map_or_else(String::new, |step| cut_text(step.tool.as_deref().unwrap_or(&step.name), MAX_NAME_CHARS)),
            model: cut_text(own_model.unwrap_or(self.model), MAX_NAME_CHARS),
            class: found.class,
            code: cut_text(&code, MAX_NAME_CHARS),
            message,
        });
    }

    /// The agent that a step belongs to: its own, else that of the nearest step around it.
    fn agent_of(&self, i: usize) -> String {
        let around = std::iter::successors(Some(i), |i| self.tree.parent[*i]).take(MAX_DEPTH);
        let agent = around.filter_map(|i| self.steps[i].agent.as_deref()).next();
        agent.map_or_else(String::new, |agent| cut_text(agent, MAX_NAME_CHARS))
    }

    /// Adds an end that somebody has to look at, unless it only repeats what was found.
    fn add_end(&mut self) {
        let evidence = &self.facts.evidence;
        let outcome = evidence.outcome;
        let kind = match outcome {
            Outcome::Escalated => ExceptionKind::Escalation,
            Outcome::Failed if !self.is_explained() => ExceptionKind::Failure,
            _ => return,
        };
        let said = format!("the agent said {}", outcome.as_str());
        let message = match evidence.kind {
            EvidenceKind::Verdict => format!("a person called it {}", outcome.as_str()),
            EvidenceKind::Explicit => match evidence.words.strip_prefix(&said).and_then(|rest| rest.strip_prefix(": "))
            {
                Some(reason) => one_line(reason),
                None => said,
            },
            _ => one_line(&evidence.words),
        };
        let step = evidence.span_id.as_ref().and_then(|id| self.steps.iter().position(|step| step.span_id == *id));
        let code = evidence.kind.as_str().to_owned();
        self.add("end", step, Found { kind, class: None, code, message });
    }

    /// Whether a failed end says no more than what was found already.
    fn is_explained(&self) -> bool {
        let evidence = &self.facts.evidence;
        let mut faults = self.all.iter().filter(|e| {
            use ExceptionKind::{Empty, Error, Limit, Refusal, Validation};
            matches!(e.kind, Error | Validation | Limit | Refusal | Empty)
        });
        match evidence.kind {
            // The error that the status tells of is there, or the one that it passed on.
            EvidenceKind::Status => faults.next().is_some(),
            EvidenceKind::Rule => faults.any(|e| e.span_id.is_some() && e.span_id == evidence.span_id),
            EvidenceKind::Explicit => match evidence.words.split_once(": ") {
                None => faults.next().is_some(),
                Some((_, reason)) => {
                    let reason = one_line(reason);
                    faults.any(|e| reason.contains(&e.message) || e.message.contains(&reason))
                }
            },
            _ => false,
        }
    }
}

fn key_of(source: &str, step: Option<&Step>) -> String {
    let mut hash = Sha256::new();
    hash.update(source.as_bytes());
    if let Some(step) = step {
        for part in [&step.trace_id, &step.span_id] {
            hash.update([0]);
            hash.update(part.as_bytes());
        }
    }
    let digest = hash.finalize();
    digest[..8].iter().fold(String::with_capacity(16), |mut key, byte| {
        key.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        key.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        key
    })
}

/// A message in one line, its white space single and its length bounded. Of a traceback it is the last line, which
/// names the error.
#[must_use]
pub fn one_line(message: &str) -> String {
    let message = message.trim();
    let message = if message.starts_with("Traceback (most recent call last)") {
        message.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or(message)
    } else {
        message
    };
    let mut line = String::with_capacity(message.len().min(MAX_MESSAGE_CHARS + 8));
    let mut n = 0;
    for word in message.split_whitespace() {
        if n > 0 {
            line.push(' ');
        }
        line.push_str(word);
        n += word.chars().count() + 1;
        if n > MAX_MESSAGE_CHARS {
            break;
        }
    }
    cut_text(&line, MAX_MESSAGE_CHARS)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::answer_schema::AnswerSchema;
    use crate::calendar::BusinessHours;
    use crate::derive::{Context, derive, merge};
    use crate::expectations::Expectation;
    use crate::money::Nanos;
    use crate::outcome::Verdict;
    use crate::prices::PriceBook;
    use crate::rules::{Condition, OutcomeRule};
    use crate::step::{Message, StepError, StepStatus};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds)
    }

    fn step(id: &str, parent: Option<&str>, kind: StepKind) -> Step {
        Step {
            trace_id: "t".to_owned(),
            span_id: id.to_owned(),
            parent_span_id: parent.map(str::to_owned),
            kind,
            name: id.to_owned(),
            started_at: at(0),
            ended_at: at(10),
            received_at: at(11),
            ..Step::default()
        }
    }

    fn tool(id: &str, name: &str) -> Step {
        Step { tool: Some(name.to_owned()), ..step(id, Some("root"), StepKind::Tool) }
    }

    fn failing(step: Step, code: &str, message: &str) -> Step {
        let code = (!code.is_empty()).then(|| code.to_owned());
        Step { error: Some(StepError { class: ErrorClass::Server, code, message: message.to_owned() }), ..step }
    }

    fn says(step: Step, text: &str) -> Step {
        let message = Message {
            role: Role::Assistant,
            text: text.to_owned(),
            tool_calls: Vec::new(),
            tool_call_id: None,
            name: None,
        };
        Step { output: vec![message], ..step }
    }

    fn root() -> Step {
        step("root", None, StepKind::Agent)
    }

    fn model(text: &str) -> Step {
        says(step("model", Some("root"), StepKind::Model), text)
    }

    fn read(steps: Vec<Step>, settings: &WorkflowSettings, verdict: Option<&Verdict>) -> RunFacts {
        let context = Context {
            settings,
            prices: PriceBook::built_in(),
            hours: &BusinessHours::default(),
            zone: &TimeZone::UTC,
            verdict,
            now: at(20),
        };
        derive(&merge(Vec::new(), steps), &context).expect("steps")
    }

    fn told(steps: Vec<Step>) -> Vec<(ExceptionKind, String)> {
        let facts = read(steps, &WorkflowSettings::default(), None);
        assert_eq!(facts.n_exceptions as usize, facts.exceptions.len());
        facts.exceptions.into_iter().map(|e| (e.kind, e.message)).collect()
    }

    fn expecting(expectation: Expectation, steps: Vec<Step>) -> Vec<String> {
        let settings = WorkflowSettings { expectations: vec![expectation], ..WorkflowSettings::default() };
        let all = read(steps, &settings, None).exceptions;
        all.into_iter().filter(|e| e.kind == ExceptionKind::Expectation).map(|e| e.message).collect()
    }

    #[test]
    fn a_run_without_a_fault_has_none() {
        assert_eq!(told(vec![root(), tool("a", "book"), model("Booked for Tuesday.")]), []);
    }

    #[test]
    fn what_steps_around_a_failed_call_repeat_is_one_exception() {
        let mut agent = failing(root(), "ToolException", "tool book failed: no seats left");
        agent.status = StepStatus::Error;
        let call = failing(tool("a", "book"), "503", "no seats left");
        assert_eq!(told(vec![agent.clone(), call.clone()]), [(ExceptionKind::Error, "no seats left".to_owned())]);
        agent.error = Some(StepError { class: ErrorClass::Other, code: None, message: String::new() });
        assert_eq!(told(vec![agent.clone(), call.clone()]).len(), 1, "an error that says nothing is passed on");
        agent.error =
            Some(StepError { class: ErrorClass::Timeout, code: None, message: "the client hung up".to_owned() });
        assert_eq!(told(vec![agent, call]).len(), 2, "another fault is another exception");
    }

    #[test]
    fn a_root_that_failed_without_words_is_told_of() {
        let mut agent = root();
        agent.status = StepStatus::Error;
        assert_eq!(told(vec![agent]), [(ExceptionKind::Failure, "root ended with an error".to_owned())]);
    }

    #[test]
    fn each_failed_call_is_one_and_keeps_its_key() {
        let steps = || vec![root(), failing(tool("a", "book"), "", "no"), failing(tool("b", "book"), "", "no")];
        let facts = read(steps(), &WorkflowSettings::default(), None);
        let keys = |facts: &RunFacts| facts.exceptions.iter().map(|e| e.key.clone()).collect::<Vec<_>>();
        assert_eq!(facts.exceptions.len(), 2);
        let mut later = steps();
        later.push(failing(tool("c", "book"), "", "no"));
        later.reverse();
        let after = keys(&read(later, &WorkflowSettings::default(), None));
        assert!(keys(&facts).iter().all(|key| after.contains(key)), "the keys of those that were there stay");
        assert_eq!(after.len(), 3);
    }

    #[test]
    fn why_a_model_stopped_is_told_unless_it_failed() {
        let stopped = |reason: &str| Step { finish_reason: Some(reason.to_owned()), ..model("And so") };
        assert_eq!(told(vec![root(), stopped("stop")]), []);
        assert_eq!(told(vec![root(), stopped("length")])[0].0, ExceptionKind::Limit);
        assert_eq!(told(vec![root(), stopped("content_filter")])[0].0, ExceptionKind::Refusal);
        assert_eq!(told(vec![root(), stopped("error")])[0].0, ExceptionKind::Error);
        let both = failing(stopped("length"), "500", "overloaded");
        assert_eq!(
            told(vec![root(), both]),
            [(ExceptionKind::Error, "overloaded".to_owned())],
            "the error comes first"
        );
    }

    #[test]
    fn limits_and_schemas_are_sorts_of_their_own() {
        let limit = failing(root(), "GraphRecursionError", "Recursion limit of 25 reached");
        assert_eq!(told(vec![limit])[0].0, ExceptionKind::Limit);
        let mut misfit = failing(tool("a", "book"), "", "field seats is missing");
        misfit.error.as_mut().expect("an error").class = ErrorClass::Validation;
        assert_eq!(told(vec![root(), misfit])[0].0, ExceptionKind::Validation);
    }

    #[test]
    fn an_empty_or_refused_answer_counts_when_it_is_the_last() {
        assert_eq!(told(vec![root(), model(" ")])[0].0, ExceptionKind::Empty);
        assert_eq!(told(vec![root(), model("I'm sorry, but I can’t assist with that.")])[0].0, ExceptionKind::Refusal);
        let explained =
            "I'm sorry, but I can't help with that booking: basic economy cannot be changed after purchase.";
        assert_eq!(told(vec![root(), model(explained)]), [], "an agent that says why does its job");
        let unknown = Step { output: Vec::new(), ..model("") };
        assert_eq!(told(vec![root(), unknown]), [], "what was not kept is not empty");
        let mut later = says(step("later", Some("root"), StepKind::Model), "There you are.");
        later.ended_at = at(12);
        assert_eq!(told(vec![root(), model(""), later]), []);
    }

    #[test]
    fn what_somebody_flagged_is_told() {
        let mut flagged = root();
        flagged.attributes.insert(FLAG_ATTRIBUTE.to_owned(), "the price was wrong".to_owned());
        assert_eq!(told(vec![flagged]), [(ExceptionKind::Flag, "the price was wrong".to_owned())]);
        let score = |by_human| Score {
            name: "user_feedback".to_owned(),
            value: Some(0.0),
            label: None,
            explanation: Some("too slow".to_owned()),
            by_human,
        };
        assert_eq!(told(vec![Step { scores: vec![score(false)], ..root() }]), []);
        let thumb_down = Step { scores: vec![score(true)], ..root() };
        assert_eq!(told(vec![thumb_down]), [(ExceptionKind::Flag, "user_feedback: 0: too slow".to_owned())]);
    }

    #[test]
    fn an_escalated_end_is_always_one_and_a_failed_end_unless_a_fault_explains_it() {
        let ended = |outcome, reason: Option<&str>| {
            let mut root = root();
            root.declare().outcome = Some(outcome);
            root.declare().outcome_reason = reason.map(str::to_owned);
            root
        };
        let call = || failing(tool("a", "book"), "", "no seats left");
        let kinds = |steps| told(steps).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
        use ExceptionKind::{Error, Escalation, Failure};
        assert_eq!(kinds(vec![ended(Outcome::Escalated, None), call()]), [Error, Escalation]);
        assert_eq!(kinds(vec![ended(Outcome::Failed, None)]), [Failure]);
        assert_eq!(kinds(vec![ended(Outcome::Failed, None), call()]), [Error]);
        assert_eq!(kinds(vec![ended(Outcome::Failed, Some("no seats left")), call()]), [Error]);
        let others = told(vec![ended(Outcome::Failed, Some("the caller spoke Welsh")), call()]);
        assert_eq!(others[1], (Failure, "the caller spoke Welsh".to_owned()));
        assert_eq!(kinds(vec![ended(Outcome::Abandoned, None)]), []);
    }

    #[test]
    fn a_rule_that_rests_on_a_failed_step_adds_nothing_and_a_person_s_word_does() {
        let settings = WorkflowSettings {
            outcome_rules: vec![OutcomeRule { outcome: Outcome::Failed, when: vec![Condition::AnyError] }],
            ..WorkflowSettings::default()
        };
        let steps = || vec![root(), failing(tool("a", "book"), "", "no")];
        assert_eq!(read(steps(), &settings, None).exceptions.len(), 1);
        let verdict =
            Verdict { outcome: Outcome::Failed, by: "Ada".to_owned(), at: at(30), comment: "no good".to_owned() };
        let all = read(steps(), &settings, Some(&verdict)).exceptions;
        assert_eq!(all.len(), 2);
        assert!(!all.iter().any(|e| e.message.contains("Ada")), "who said it is no part of a pattern");
    }

    #[test]
    fn an_open_run_has_no_broken_expectation_yet() {
        let settings = WorkflowSettings {
            expectations: vec![Expectation::CallsTool { tool: "book".to_owned() }],
            ..WorkflowSettings::default()
        };
        let child = step("child", Some("gone"), StepKind::Chain);
        assert_eq!(read(vec![child], &settings, None).exceptions, []);
        assert_eq!(read(vec![root()], &settings, None).exceptions.len(), 1);
    }

    #[test]
    fn expectations_are_broken_by_what_breaks_them_and_by_nothing_else() {
        let books = || Expectation::CallsTool { tool: "boo*".to_owned() };
        assert_eq!(expecting(books(), vec![root()]), ["tool boo* was not called"]);
        assert_eq!(expecting(books(), vec![root(), tool("a", "book")]), [""; 0]);
        let failed = failing(tool("a", "book"), "", "no");
        assert_eq!(expecting(books(), vec![root(), failed]), ["tool boo* was called and never succeeded"]);
        let mut handed_over = root();
        handed_over.declare().outcome = Some(Outcome::Escalated);
        assert_eq!(expecting(books(), vec![handed_over]), [""; 0], "it did not get so far");

        let never = || Expectation::NeverSays { texts: vec!["guarantee".to_owned()] };
        assert_eq!(expecting(never(), vec![root(), model("We GUARANTEE it.")]), ["the agent said “guarantee”"]);
        assert_eq!(expecting(never(), vec![root(), model("We think so.")]), [""; 0]);

        assert_eq!(expecting(Expectation::EndsWithin { ms: 9_000 }, vec![root()]).len(), 1);
        assert_eq!(expecting(Expectation::EndsWithin { ms: 10_000 }, vec![root()]), [""; 0]);
        assert_eq!(expecting(Expectation::StepsAtMost { steps: 1 }, vec![root(), tool("a", "x")]).len(), 1);
        let dear = Step { cost_nanos: Some(Nanos(2_000_000_000)), ..model("So.") };
        let cheap = || Expectation::CostsAtMost { nanos: Nanos(1_000_000_000) };
        assert_eq!(expecting(cheap(), vec![root(), dear]), ["the run cost more than it may"]);
        assert_eq!(expecting(cheap(), vec![root(), model("So.")]), [""; 0], "an unknown cost breaks nothing");

        assert_eq!(expecting(Expectation::SaysSomething, vec![root(), model("")]), ["the agent said nothing"]);
        let unknown = Step { output: Vec::new(), ..model("") };
        assert_eq!(expecting(Expectation::SaysSomething, vec![root(), unknown]), [""; 0]);

        let again = |text: &str| vec![root(), model(text), Step { span_id: "again".to_owned(), ..model(text) }];
        let long = "Could you tell me your reservation number, please?";
        assert_eq!(expecting(Expectation::NeverRepeats, again(long)).len(), 1);
        assert_eq!(expecting(Expectation::NeverRepeats, again("One moment.")), [""; 0]);

        let call = |id: &str, arguments: &str| says(Step { ..tool(id, "find") }, "none").with_input(arguments);
        let calls = vec![root(), call("a", "1"), call("b", "1"), call("c", "2")];
        assert_eq!(expecting(Expectation::NeverLoops { times: 3 }, calls.clone()), [""; 0]);
        assert_eq!(expecting(Expectation::NeverLoops { times: 2 }, calls).len(), 1);
    }

    impl Step {
        fn with_input(mut self, text: &str) -> Self {
            self.input = self.output.clone();
            self.input[0].text = text.to_owned();
            self
        }
    }

    #[test]
    fn an_answer_fits_its_schema_or_says_where_not_without_quoting_it() {
        let schema = json!({"type": "object", "required": ["seats"], "properties": {"seats": {"type": "integer"}}});
        let fits = |text: &str| {
            let schema = AnswerSchema::new(schema.clone()).expect("a schema");
            expecting(Expectation::AnswerFits { schema }, vec![root(), model(text)])
        };
        assert_eq!(fits(r#"{"seats": 2}"#), [""; 0]);
        assert_eq!(fits("```json\n{\"seats\": 2}\n```"), [""; 0]);
        assert_eq!(fits("two seats"), ["the last answer is not JSON"]);
        let misfit = fits(r#"{"seats": "two, for Ms Lovelace"}"#).pop().expect("it does not fit");
        assert!(misfit.contains("/seats") && !misfit.contains("Lovelace"), "{misfit}");
        assert!(AnswerSchema::new(json!({"type": "no such type"})).is_err());
        assert!(AnswerSchema::new(json!({"$ref": "https://example.com/schema.json"})).is_err(), "nothing is fetched");
    }

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        assert_eq!(one_line("  no\n seats\tleft "), "no seats left");
        assert_eq!(
            one_line("Traceback (most recent call last):\n  File \"a.py\"\nValueError: no seats\n"),
            "ValueError: no seats"
        );
        assert!(one_line(&"x ".repeat(100_000)).chars().count() < MAX_MESSAGE_CHARS + 20);
        assert!(one_line(&"ü".repeat(100_000)).chars().count() < MAX_MESSAGE_CHARS + 20);
    }

    proptest! {
        #[test]
        fn order_changes_nothing_keys_are_unique_and_nothing_panics(
            seed in proptest::collection::vec((0u8..12, 0u8..12, 0u8..5, 0u8..6, "\\PC{0,12}"), 1..40),
        ) {
            let kinds = [StepKind::Model, StepKind::Tool, StepKind::Agent, StepKind::Guardrail, StepKind::Other];
            let steps: Vec<Step> = seed.iter().map(|(id, parent, kind, fault, text)| {
                let mut s = step(&format!("s{id}"), (id != parent).then(|| format!("s{parent}")).as_deref(), kinds[usize::from(*kind)]);
                s.tool = (*kind == 1).then(|| "book".to_owned());
                match fault {
                    0 => s = failing(s, "500", text),
                    1 => s.finish_reason = Some("length".to_owned()),
                    2 => s = says(s, text),
                    3 => { s.attributes.insert(FLAG_ATTRIBUTE.to_owned(), text.clone()); }
                    4 => s.status = StepStatus::Error,
                    _ => {}
                }
                s
            }).collect();
            let settings = WorkflowSettings {
                expectations: vec![
                    Expectation::SaysSomething,
                    Expectation::NeverRepeats,
                    Expectation::NeverLoops { times: 2 },
                    Expectation::CallsTool { tool: "x".to_owned() },
                    Expectation::CallsTool { tool: "x".to_owned() },
                ],
                ..WorkflowSettings::default()
            };
            let merged = merge(Vec::new(), steps.clone());
            let mut reversed = steps;
            reversed.reverse();
            let again = merge(Vec::new(), reversed);
            prop_assume!(merged == again);
            let (one, other) = (read(merged, &settings, None), read(again, &settings, None));
            prop_assert_eq!(&one.exceptions, &other.exceptions);
            let keys: HashSet<&String> = one.exceptions.iter().map(|e| &e.key).collect();
            prop_assert_eq!(keys.len(), one.exceptions.len());
            prop_assert_eq!(one.n_exceptions as usize, one.exceptions.len());
        }
    }
}
