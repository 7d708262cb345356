//! Langfuse's own interface, as its older libraries and many integrations speak it: batches of events
//! (`POST /api/public/ingestion`) and judgements, one or a list of them (`POST /api/public/scores`).
//!
//! ```json
//! {"batch": [
//!   {"id": "e1", "timestamp": "2026-10-08T15:04:05Z", "type": "trace-create", "body": {"id": "t1", "name": "front desk"}},
//!   {"id": "e2", "timestamp": "2026-10-08T15:04:06Z", "type": "generation-create",
//!    "body": {"id": "g1", "traceId": "t1", "startTime": "2026-10-08T15:04:06Z", "model": "gpt-5", "input": "Hi"}},
//!   {"id": "e3", "timestamp": "2026-10-08T15:04:08Z", "type": "generation-update",
//!    "body": {"id": "g1", "traceId": "t1", "endTime": "2026-10-08T15:04:08Z", "output": "Hello"}}
//! ]}
//! ```
//!
//! Each event is a [`Part`] of an observation: what several say of one is put together field by field, the later word
//! first, in whatever order and company they come. A trace itself is the step [`TRACE`] in it, under which
//! observations without a parent stand. Nothing in this interface says that a trace has ended, so its run ends when
//! it has gone quiet.
//!
//! Ids of 32 and 16 hexadecimal digits are those of OTLP: judgements of what came that way find it. All other ids
//! make runs of their own, `langfuse:<id>`.

use serde_json::{Map, Value, json};
use steward_core::parts::{Extent, Part, UNKNOWN_PARENT};
use steward_core::step::{Score, Step, StepKind};
use steward_core::time::Timestamp;

use crate::dialects::langfuse;
use crate::dialects::{RANKS, RuleSet, offer};
use crate::draft::Draft;
use crate::errors::MAX_MESSAGE_CHARS;
use crate::fields::Fields;
use crate::native::trace_id;
use crate::text::{MAX_NAME_CHARS, bounded, name, sha256};
use crate::{Decoded, WireError, any, messages, nul};

/// The id of the step that is a trace itself.
pub const TRACE: &str = "trace";
/// What an event is called in its answer when it has no id to be called by.
const NO_ID: &str = "unknown";

/// What is answered for one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The event's id.
    pub id: String,
    /// Why it was refused, in words. `None` when it was taken.
    pub refusal: Option<String>,
}

impl Answer {
    /// The event's own status: 201, or 400 when it was refused.
    #[must_use]
    pub const fn status(&self) -> u16 {
        if self.refusal.is_none() { 201 } else { 400 }
    }
}

/// What a batch held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The steps, and how many events were refused. Events that are only notes of a library make no step.
    pub decoded: Decoded,
    /// One answer for each event, in the order in which they were sent.
    pub answers: Vec<Answer>,
}

impl Batch {
    /// The body of the answer, which goes with the status 207.
    #[must_use]
    pub fn answer(&self) -> Value {
        let (taken, refused): (Vec<&Answer>, Vec<&Answer>) =
            self.answers.iter().partition(|answer| answer.refusal.is_none());
        let success = |answer: &Answer| json!({"id": answer.id, "status": answer.status()});
        let error = |answer: &Answer| json!({"id": answer.id, "status": answer.status(), "message": "Invalid request data", "error": answer.refusal});
        json!({
            "successes": taken.into_iter().map(success).collect::<Vec<_>>(),
            "errors": refused.into_iter().map(error).collect::<Vec<_>>(),
        })
    }
}

/// Reads a batch of events.
///
/// # Errors
///
/// When the bytes are no JSON object with a `batch`. A bad event is no error: it has its own answer.
pub fn read_batch(body: &[u8]) -> Result<Batch, WireError> {
    let events = events(body)?;
    let mut batch = Batch::default();
    batch.answers.reserve(events.len());
    for (place, event) in (0u32..).zip(events) {
        let Value::Object(event) = event else {
            batch.refuse(NO_ID.to_owned(), "the event is not an object".to_owned());
            continue;
        };
        let mut event = Fields::new(event);
        let Some(id) = event.name(&["id"]) else {
            batch.refuse(NO_ID.to_owned(), "the event has no id".to_owned());
            continue;
        };
        match read_event(event, place) {
            Ok(step) => {
                batch.decoded.steps.extend(step.map(|mut step| {
                    nul::replace_in(&mut step);
                    step
                }));
                batch.answers.push(Answer { id, refusal: None });
            }
            Err(reason) => batch.refuse(id, reason),
        }
    }
    Ok(batch)
}

/// The events of a batch, as they were sent.
pub(crate) fn events(body: &[u8]) -> Result<Vec<Value>, WireError> {
    let Value::Object(mut object) = json_of(body)? else {
        return Err(WireError::Shape("a batch of events is an object"));
    };
    let Some(Value::Array(events)) = object.remove("batch") else {
        return Err(WireError::Shape("it has no “batch”, so it is not a batch of Langfuse's events"));
    };
    Ok(events)
}

/// The step that an event makes. `None` when it is refused, or only a note of a library.
pub(crate) fn step_of_event(event: Value, place: u32) -> Option<Step> {
    let Value::Object(event) = event else { return None };
    let mut event = Fields::new(event);
    event.name(&["id"])?;
    let mut step = read_event(event, place).ok()??;
    nul::replace_in(&mut step);
    Some(step)
}

impl Batch {
    fn refuse(&mut self, id: String, reason: String) {
        self.decoded.reject(&reason);
        self.answers.push(Answer { id, refusal: Some(reason) });
    }
}

/// A judgement that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadScore {
    /// The judgement's id, which the answer repeats: the one that was sent, else the hash of what was sent.
    pub id: String,
    /// The step with the judgement.
    pub step: Step,
}

/// Why a judgement was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The bytes are no JSON object.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It is no judgement that can be taken, for this reason.
    #[error("{0}")]
    Refused(String),
}

/// Reads one judgement. The body holds no time, so it counts as said when it was received.
///
/// # Errors
///
/// A [`ScoreError`] when the bytes are no JSON, or no judgement.
pub fn read_score(body: &[u8], received_at: Timestamp) -> Result<ReadScore, ScoreError> {
    let Value::Object(object) = json_of(body)? else {
        return Err(ScoreError::Wire(WireError::Shape("a score is an object")));
    };
    let id = id_of_score(&object);
    let mut step = score(Fields::new(object), Some(id.clone()), received_at, 0).map_err(ScoreError::Refused)?;
    nul::replace_in(&mut step);
    Ok(ReadScore { id, step })
}

/// By what a judgement is known: the id that it was sent with, else the hash of what was sent.
pub(crate) fn id_of_score(score: &Map<String, Value>) -> String {
    sent_id(score).unwrap_or_else(|| {
        let text = serde_json::to_string(score).unwrap_or_default();
        sha256(&text).get(..32).unwrap_or_default().to_owned()
    })
}

/// The id that something was sent with.
pub(crate) fn sent_id(object: &Map<String, Value>) -> Option<String> {
    let id = object.get("id")?.clone();
    Fields::new(Map::from_iter([("id".to_owned(), id)])).name(&["id"])
}

/// What a request of judgements held.
#[derive(Debug, Clone, PartialEq)]
pub enum Scores {
    /// One, which has to be taken or refused as a whole.
    One(Box<ReadScore>),
    /// A list, as newer libraries send it: each is taken or refused by itself.
    List {
        /// The steps with judgements, and how many were refused.
        decoded: Decoded,
        /// Why each that was refused was.
        refusals: Vec<String>,
    },
}

/// Reads one judgement, or a list of them. One that names no time counts as said when it was received.
///
/// # Errors
///
/// A [`ScoreError`] when the bytes are no JSON, or neither a list nor a judgement.
pub fn read_scores(body: &[u8], received_at: Timestamp) -> Result<Scores, ScoreError> {
    let Value::Array(list) = json_of(body)? else {
        return read_score(body, received_at).map(|score| Scores::One(Box::new(score)));
    };
    let (mut decoded, mut refusals) = (Decoded::default(), Vec::new());
    for (place, one) in (0u32..).zip(list) {
        match listed_score(one, received_at, place) {
            Ok(mut step) => {
                nul::replace_in(&mut step);
                decoded.steps.push(step);
            }
            Err(reason) => {
                decoded.reject(&reason);
                refusals.push(reason);
            }
        }
    }
    Ok(Scores::List { decoded, refusals })
}

/// The judgements of a request as they were sent, and whether they are a list.
pub(crate) fn scores(body: &[u8]) -> Result<(Vec<Value>, bool), WireError> {
    match json_of(body)? {
        Value::Array(list) => Ok((list, true)),
        one @ Value::Object(_) => Ok((vec![one], false)),
        _ => Err(WireError::Shape("a score is an object")),
    }
}

/// The step that a judgement makes. `None` when it is refused.
pub(crate) fn step_of_score(one: Value, is_listed: bool, received_at: Timestamp, place: u32) -> Option<Step> {
    let mut step = match one {
        one if is_listed => listed_score(one, received_at, place).ok()?,
        Value::Object(object) => {
            let id = id_of_score(&object);
            score(Fields::new(object), Some(id), received_at, 0).ok()?
        }
        _ => return None,
    };
    nul::replace_in(&mut step);
    Some(step)
}

fn listed_score(one: Value, received_at: Timestamp, place: u32) -> Result<Step, String> {
    let Value::Object(object) = one else { return Err("a score is an object".to_owned()) };
    let id = id_of_score(&object);
    let mut fields = Fields::new(object);
    let said_at = fields.instant(&["timestamp"])?.unwrap_or(received_at);
    score(fields, Some(id), said_at, place)
}

fn json_of(body: &[u8]) -> Result<Value, WireError> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).map_err(WireError::Json)
}

/// Reads one event. `None` when it is only a note of a library.
///
/// # Errors
///
/// The reason in words why it is refused.
fn read_event(mut event: Fields, place: u32) -> Result<Option<Step>, String> {
    let Some(kind) = event.name(&["type"]) else { return Err("the event has no type".to_owned()) };
    if kind == "sdk-log" {
        return Ok(None);
    }
    let said_at = event.instant(&["timestamp"])?;
    let Some(Value::Object(body)) = event.take(&["body"]) else { return Err("the event has no body".to_owned()) };
    let mut body = Fields::new(body);
    let Some((what, done)) = kind.rsplit_once('-').filter(|(_, done)| matches!(*done, "create" | "update")) else {
        return Err(format!("“{}” is no type of event that is known", bounded(kind, 60)));
    };
    let creates = done == "create";
    let step = match what {
        "trace" => trace(body, said_at, place)?,
        "score" => {
            let id = body.name(&["id"]);
            score(body, id, said_at.ok_or("the event has no timestamp")?, place)?
        }
        "observation" => {
            let Some(word) = body.name(&["type"]) else { return Err("the observation has no type".to_owned()) };
            observation(&word, body, creates, said_at, place)?
        }
        word => observation(word, body, creates, said_at, place)?,
    };
    Ok(Some(step))
}

/// The id of a trace: that of OTLP, or one of this interface's own.
fn trace_key(id: &str) -> String {
    let is_otlp = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_otlp { id.to_ascii_lowercase() } else { trace_id("langfuse", id) }
}

/// The id of an observation: that of OTLP in lower case, any other as it is.
fn span_key(id: String) -> String {
    let is_otlp = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_otlp { id.to_ascii_lowercase() } else { id }
}

/// A draft in which Langfuse's own rules speak.
fn draft(trace_id: String, span_id: String, at: Timestamp) -> Draft {
    let mut draft = Draft::default();
    draft.base = 1;
    draft.rules.of(&[RuleSet::Langfuse]);
    draft.step.trace_id = trace_id;
    draft.step.span_id = span_id;
    draft.step.parent_span_id = Some(UNKNOWN_PARENT.to_owned());
    draft.step.started_at = at;
    draft.step.ended_at = at;
    draft.step.reading.dialect = "langfuse".to_owned();
    draft
}

fn trace(mut body: Fields, said_at: Option<Timestamp>, place: u32) -> Result<Step, String> {
    let Some(id) = body.key(&["id"]) else { return Err("the trace has no id".to_owned()) };
    let started_at = body.instant(&["timestamp"])?;
    let Some(at) = started_at.or(said_at) else { return Err("the trace has no timestamp".to_owned()) };
    let mut draft = draft(trace_key(&id), TRACE.to_owned(), at);
    draft.kind.offer(RANKS, StepKind::Agent);
    let called = body.name(&["name"]);
    draft.step.name = called.clone().unwrap_or_else(|| TRACE.to_owned());
    if let Some(called) = &called {
        draft.keep_text("langfuse.trace.name".to_owned(), called.clone());
    }
    draft.declared.user_id.offer_some(1, body.name(&["userId"]));
    draft.declared.conversation_id.offer_some(1, body.name(&["sessionId"]));
    if let Some(tags) = body.take(&["tags"]) {
        draft.keep_text("langfuse.trace.tags".to_owned(), messages::json_text(tags));
    }
    common(&mut draft, &mut body, "langfuse.trace.metadata");
    // Whether strangers may see it is a matter of the other system.
    body.take(&["public"]);
    let part = Part { said_at: said_at.unwrap_or(at), place, names: called.is_some(), ..Part::default() };
    Ok(finish(draft, body, Part { starts: started_at.is_some(), ..part }))
}

fn observation(
    word: &str,
    mut body: Fields,
    creates: bool,
    said_at: Option<Timestamp>,
    place: u32,
) -> Result<Step, String> {
    let Some(kind) = langfuse::kind_of(word) else {
        return Err(format!("“{}” is no type of observation that is known", bounded(word.to_owned(), 60)));
    };
    let sent = body.key(&["id"]);
    let trace = body.key(&["traceId"]);
    // A new observation without an id is known by the hash of what is said of it.
    let hash = sent.is_none().then(|| sha256(&format!("{word} {} {body:?}", trace.as_deref().unwrap_or_default())));
    let id = match (sent, hash) {
        (Some(id), _) => id,
        (None, Some(hash)) if creates => hash.get(..16).unwrap_or_default().to_owned(),
        _ => return Err("the observation has no id".to_owned()),
    };
    let started_at = body.instant(&["startTime"])?;
    let ended_at = body.instant(&["endTime"])?;
    let first_piece_at = body.instant(&["completionStartTime"])?;
    let Some(at) = started_at.or(ended_at).or(said_at) else {
        return Err("the observation has no time: neither startTime nor the event's timestamp".to_owned());
    };
    let mut draft = draft(trace_key(trace.as_deref().unwrap_or(&id)), span_key(id), at);
    draft.kind.offer(1, kind);
    draft.step.parent_span_id = match body.key(&["parentObservationId"]) {
        Some(parent) => Some(span_key(parent)).filter(|parent| *parent != draft.step.span_id),
        // Only who creates it says by silence that it stands right in its trace.
        None if creates => Some(TRACE.to_owned()),
        None => None,
    }
    .or_else(|| Some(UNKNOWN_PARENT.to_owned()));
    let is_event = word.eq_ignore_ascii_case("event");
    let mut ends = is_event;
    if let Some(ended_at) = ended_at {
        ends = true;
        if ended_at < at {
            draft.note("it ended before it started");
        }
        draft.step.ended_at = ended_at.max(at);
    }
    let called = body.name(&["name"]);
    draft.step.name = called.clone().unwrap_or_else(|| word.to_ascii_lowercase());
    draft.model.offer_some(1, body.name(&["model"]));
    if let Some(level) = body.name(&["level"]) {
        langfuse::level(&mut draft, &level);
    }
    draft.status_message = body.take(&["statusMessage"]).map(messages::json_text).unwrap_or_default();
    for (key, kept) in [
        ("modelParameters", "langfuse.observation.model.parameters"),
        ("promptName", "langfuse.observation.prompt.name"),
        ("promptVersion", "langfuse.observation.prompt.version"),
    ] {
        if let Some(value) = body.take(&[key]) {
            draft.keep_text(kept.to_owned(), messages::json_text(value));
        }
    }
    usage(&mut draft, &mut body);
    common(&mut draft, &mut body, "langfuse.observation.metadata");
    let part = Part { said_at: said_at.unwrap_or(at), place, names: called.is_some(), ..Part::default() };
    Ok(finish(draft, body, Part { starts: started_at.is_some(), ends, first_piece_at, ..part }))
}

/// Reads tokens and money, in the newer form and in the older one.
fn usage(draft: &mut Draft, body: &mut Fields) {
    let mut older = body.object("usage");
    let details = body.object("usageDetails");
    let mut costs = Map::new();
    for (key, name) in [("inputCost", "input"), ("outputCost", "output"), ("totalCost", "total")] {
        costs.extend(older.remove(key).filter(|cost| !cost.is_null()).map(|cost| (name.to_owned(), cost)));
    }
    let unit = older.remove("unit").and_then(|unit| unit.as_str().map(str::to_ascii_uppercase));
    if !details.is_empty() {
        langfuse::usage_details(draft, details);
    } else if unit.as_deref().is_none_or(|unit| unit == "TOKENS") {
        if !older.is_empty() {
            langfuse::usage_details(draft, older);
        }
    } else {
        draft.note("usage in another unit than tokens was left out");
    }
    let details = body.object("costDetails");
    langfuse::cost_details(draft, if details.is_empty() { &costs } else { &details });
}

/// Reads what traces and observations have in common.
fn common(draft: &mut Draft, body: &mut Fields, metadata_key: &str) {
    for (key, slot) in [("input", &mut draft.input), ("output", &mut draft.output)] {
        if let Some(value) = body.take(&[key]) {
            offer(slot, 1, any::of_text(messages::json_text(value)));
        }
    }
    draft.declared.release.offer_some(1, body.name(&["version"]));
    draft.declared.release.offer_some(2, body.name(&["release"]));
    draft.declared.environment.offer_some(1, body.name(&["environment"]));
    match body.take(&["metadata"]) {
        Some(Value::Object(object)) => {
            for (key, value) in object.into_iter().filter(|(_, value)| !value.is_null()) {
                draft.keep_text(format!("{metadata_key}.{key}"), messages::json_text(value));
            }
        }
        Some(value) => draft.keep_text(metadata_key.to_owned(), messages::json_text(value)),
        None => {}
    }
}

fn finish(draft: Draft, body: Fields, part: Part) -> Step {
    let mut step = draft.finish();
    step.reading.n_attributes = body.n_fields();
    body.close(&mut step);
    step.extent = Extent::Part(part);
    step
}

fn score(mut body: Fields, id: Option<String>, said_at: Timestamp, place: u32) -> Result<Step, String> {
    // Who calls has looked at it.
    body.take(&["id"]);
    let Some(called) = body.name(&["name"]) else { return Err("the score has no name".to_owned()) };
    let Some(trace) = body.key(&["traceId"]) else {
        return Err("the score has no traceId: scores of sessions and of runs over data sets are not taken".to_owned());
    };
    let form = body.name(&["dataType"]).map(|form| form.to_ascii_uppercase());
    let (mut value, mut label) = (None, None);
    match (body.take(&["value"]), form.as_deref()) {
        (Some(Value::Number(n)), None | Some("NUMERIC" | "BOOLEAN")) => {
            value = n.as_f64().filter(|n| n.is_finite());
        }
        (Some(Value::Bool(flag)), None | Some("BOOLEAN")) => value = Some(if flag { 1.0 } else { 0.0 }),
        (Some(Value::String(word)), None | Some("CATEGORICAL" | "TEXT" | "CORRECTION")) if !word.is_empty() => {
            label = Some(name(word));
        }
        (None, _) => return Err("the score has no value".to_owned()),
        (Some(_), None) => return Err("the value of a score is a number or a text".to_owned()),
        (Some(_), Some(form)) => return Err(format!("the score's value is not {}", bounded(form.to_owned(), 60))),
    }
    if value.is_none() && label.is_none() {
        return Err("the value of a score is a number or a text".to_owned());
    }
    let span_id = body.key(&["observationId"]).map_or_else(|| TRACE.to_owned(), span_key);
    let mut draft = draft(trace_key(&trace), span_id, said_at);
    draft.step.name = "score".to_owned();
    draft.declared.environment.offer_some(1, body.name(&["environment"]));
    draft.step.scores.push(Score {
        name: called,
        value,
        label,
        explanation: body.take(&["comment"]).map(|text| bounded(messages::json_text(text), MAX_MESSAGE_CHARS)),
        by_human: body.name(&["source"]).is_some_and(|source| source.eq_ignore_ascii_case("annotation")),
    });
    // What led to the judgement is kept where it was given.
    ["metadata", "configId", "queueId", "sessionId", "datasetRunId"].iter().for_each(|key| drop(body.take(&[key])));
    let instead_of = id.map(|id| format!("score {}", bounded(id, MAX_NAME_CHARS))).unwrap_or_default();
    Ok(finish(draft, body, Part { said_at, place, instead_of, ..Part::default() }))
}
