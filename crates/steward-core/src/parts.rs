//! Several reports of one span into one step.
//!
//! Most senders report a span once, whole. Others say it in parts: a log record adds what was said to the span that
//! it belongs to, an update adds the end, a judgement comes a day later. A part only ever adds: it never takes the
//! place of a whole report, and where a whole report says something, its word counts.
//!
//! Invariant: the step is a pure function of the *set* of reports. A step that was made of several keeps them, so
//! that what comes later is joined with the reports and not with what was made of them; order, repeats and splits
//! then change nothing.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::privacy::add_masked;
use crate::step::{Declared, MAX_MESSAGES, Message, Step, StepKind, StepStatus};
use crate::time::Timestamp;

/// The parent of a step of which nobody has said what is around it. Such a step is no root: it does not end a run.
pub const UNKNOWN_PARENT: &str = "0000000000000000";
/// The most parts of one span that are kept; the last ones said.
pub const MAX_PARTS: usize = 256;
/// The most attributes that parts fill a step up to.
const MAX_ATTRIBUTES: usize = 64;
/// The most names and words of a reading.
const MAX_READING: usize = 50;

/// How much of its span a report tells of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// The whole span.
    #[default]
    Whole,
    /// A part of what there is to say.
    Part(Part),
    /// The step was made of these reports.
    Joined(Box<Reports>),
}

impl Extent {
    /// Whether it tells of the whole span.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// What kind of a part a report is. A field of its step that is empty says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// When it was said: of two parts that say the same thing, the later one counts.
    pub said_at: Timestamp,
    /// Its place among what was sent with it, which orders parts of the same instant.
    #[serde(skip_serializing_if = "is_zero")]
    pub place: u32,
    /// What it is, where it takes the place of earlier parts with the same words: `score 17`. Else empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instead_of: String,
    /// Its start is the span's, and not only a stand-in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub starts: bool,
    /// Its end is the span's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ends: bool,
    /// Its name is the span's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub names: bool,
    /// When the first piece of the answer came, where that is known but the start may not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_piece_at: Option<Timestamp>,
    /// Its messages follow those of earlier parts. Else they are all that went in or came out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follows: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The reports that a step was made of, each as it came, but for when it was received.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reports {
    /// The fullest report of the whole span. `None` while only parts have come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<Step>,
    /// The parts, in the order in which they were said.
    parts: Vec<Step>,
}

/// Makes one step of all reports of one span, at least one of which is not whole.
///
/// `fuller` gives the one of two whole reports that stays.
pub(crate) fn join(reports: Vec<Step>, fuller: impl Fn(Step, Step) -> Step) -> Step {
    let received_at = reports.iter().map(|step| step.received_at).min().unwrap_or_default();
    let mut whole: Option<Step> = None;
    let mut parts: Vec<Step> = Vec::new();
    for step in reports {
        let (one, mut more) = taken_apart(step);
        parts.append(&mut more);
        whole = match (whole, one) {
            (Some(a), Some(b)) => Some(fuller(a, b)),
            (a, b) => a.or(b),
        };
    }
    let mut step = made_of(Reports { whole, parts: distinct(parts) });
    step.received_at = received_at;
    step
}

/// The reports in a step, with no time of receipt.
fn taken_apart(mut step: Step) -> (Option<Step>, Vec<Step>) {
    step.received_at = Timestamp::default();
    match std::mem::take(&mut step.extent) {
        Extent::Whole => (Some(step), Vec::new()),
        Extent::Joined(reports) => (reports.whole, reports.parts),
        part @ Extent::Part(_) => {
            step.extent = part;
            (None, vec![step])
        }
    }
}

/// The parts without repeats, in the order in which they were said.
fn distinct(parts: Vec<Step>) -> Vec<Step> {
    // A repeat may have come in other company, so its place does not make it another part.
    let mut by_text: BTreeMap<(Timestamp, String), (u32, Step)> = BTreeMap::new();
    for mut step in parts {
        let place = part_mut(&mut step).map(|part| std::mem::take(&mut part.place)).unwrap_or_default();
        let text = serde_json::to_string(&step).unwrap_or_default();
        let known = by_text.entry((said_at(&step), text)).or_insert((place, step));
        known.0 = known.0.min(place);
    }
    while by_text.len() > MAX_PARTS {
        by_text.pop_first();
    }
    let mut parts: Vec<Step> = by_text
        .into_values()
        .map(|(place, mut step)| {
            if let Some(part) = part_mut(&mut step) {
                part.place = place;
            }
            step
        })
        .collect();
    // Texts have put those of the same instant and place in an order already.
    parts.sort_by_key(|step| (said_at(step), part(step).map_or(0, |part| part.place)));
    parts
}

fn part(step: &Step) -> Option<&Part> {
    if let Extent::Part(part) = &step.extent { Some(part) } else { None }
}

fn part_mut(step: &mut Step) -> Option<&mut Part> {
    if let Extent::Part(part) = &mut step.extent { Some(part) } else { None }
}

fn said_at(step: &Step) -> Timestamp {
    part(step).map_or(step.started_at, |part| part.said_at)
}

fn made_of(mut reports: Reports) -> Step {
    match (&mut reports.whole, reports.parts.len()) {
        (None, 1) => return reports.parts.remove(0),
        (whole @ Some(_), 0) => return whole.take().unwrap_or_default(),
        _ => {}
    }
    let added = sum_of(&reports.parts);
    let mut step = match &reports.whole {
        Some(whole) => filled(whole.clone(), added),
        None => added,
    };
    step.extent = Extent::Joined(Box::new(reports));
    step
}

/// What the parts say together, as if nothing else were known.
fn sum_of(parts: &[Step]) -> Step {
    let mut last: HashSet<&str> = HashSet::new();
    let mut counts: Vec<(&Step, &Part)> = parts
        .iter()
        .rev()
        .filter_map(|step| Some((step, part(step)?)))
        .filter(|(_, part)| part.instead_of.is_empty() || last.insert(&part.instead_of))
        .collect();
    counts.reverse();
    let mut sum = Step::default();
    let (mut started_at, mut ended_at, mut first_piece_at) = (None, None, None);
    for (step, part) in &counts {
        sum.trace_id.clone_from(&step.trace_id);
        sum.span_id.clone_from(&step.span_id);
        started_at = if part.starts { Some(step.started_at) } else { started_at };
        ended_at = if part.ends { Some(step.ended_at) } else { ended_at };
        first_piece_at = part.first_piece_at.or(first_piece_at);
        if part.names || sum.name.is_empty() {
            sum.name.clone_from(&step.name);
        }
        if step.parent_span_id.as_deref().is_some_and(|parent| parent != UNKNOWN_PARENT) {
            sum.parent_span_id.clone_from(&step.parent_span_id);
        }
        if step.kind != StepKind::Other {
            sum.kind = step.kind;
        }
        if step.status != StepStatus::Unset {
            sum.status = step.status;
        }
        overwrite(&mut sum.error, &step.error);
        overwrite(&mut sum.model, &step.model);
        overwrite(&mut sum.provider, &step.provider);
        overwrite(&mut sum.tool, &step.tool);
        overwrite(&mut sum.agent, &step.agent);
        overwrite(&mut sum.usage, &step.usage);
        overwrite(&mut sum.cost_nanos, &step.cost_nanos);
        overwrite(&mut sum.response_id, &step.response_id);
        overwrite(&mut sum.finish_reason, &step.finish_reason);
        overwrite(&mut sum.first_token_ms, &step.first_token_ms);
        for score in &step.scores {
            if !sum.scores.contains(score) {
                sum.scores.push(score.clone());
            }
        }
        for (key, value) in &step.attributes {
            if sum.attributes.len() < MAX_ATTRIBUTES || sum.attributes.contains_key(key) {
                sum.attributes.insert(key.clone(), value.clone());
            }
        }
        if let Some(said) = &step.declared {
            let mut said = said.clone();
            if let Some(before) = &sum.declared {
                fill_declared(&mut said, before);
            }
            sum.declared = Some(said);
        }
        add_reading(&mut sum, step);
    }
    sum.input = messages_of(&counts, |step| &step.input);
    sum.output = messages_of(&counts, |step| &step.output);
    sum.parent_span_id.get_or_insert_with(|| UNKNOWN_PARENT.to_owned());
    let first = counts.iter().map(|(step, _)| step.started_at).min().unwrap_or_default();
    sum.started_at = started_at.unwrap_or(first);
    sum.ended_at = ended_at.unwrap_or(sum.started_at).max(sum.started_at);
    if let (Some(started_at), Some(at), None) = (started_at, first_piece_at, sum.first_token_ms) {
        sum.first_token_ms = Some(at.ms_since(started_at)).filter(|ms| *ms >= 0);
    }
    sum
}

/// The last messages that are all there are, else the pieces one after another.
fn messages_of(parts: &[(&Step, &Part)], of: fn(&Step) -> &Vec<Message>) -> Vec<Message> {
    let whole = parts.iter().rev().find(|(step, part)| !part.follows && !of(step).is_empty());
    if let Some((step, _)) = whole {
        return of(step).clone();
    }
    let mut messages: Vec<Message> = parts.iter().flat_map(|(step, _)| of(step)).cloned().collect();
    // The first one holds the instructions.
    let too_many = messages.len().saturating_sub(MAX_MESSAGES);
    if too_many > 0 {
        messages.drain(1..=too_many);
    }
    messages
}

/// A whole report with what it leaves unsaid filled in.
fn filled(mut step: Step, added: Step) -> Step {
    add_reading(&mut step, &added);
    if step.kind == StepKind::Other {
        step.kind = added.kind;
    }
    if step.error.is_none() && step.status != StepStatus::Ok {
        step.error = added.error;
    }
    if step.status == StepStatus::Unset {
        step.status = added.status;
    }
    fill(&mut step.model, added.model);
    fill(&mut step.provider, added.provider);
    fill(&mut step.tool, added.tool);
    fill(&mut step.agent, added.agent);
    fill(&mut step.usage, added.usage);
    fill(&mut step.cost_nanos, added.cost_nanos);
    fill(&mut step.response_id, added.response_id);
    fill(&mut step.finish_reason, added.finish_reason);
    fill(&mut step.first_token_ms, added.first_token_ms);
    if step.input.is_empty() {
        step.input = added.input;
    }
    if step.output.is_empty() {
        step.output = added.output;
    }
    for score in added.scores {
        if !step.scores.contains(&score) {
            step.scores.push(score);
        }
    }
    for (key, value) in added.attributes {
        if step.attributes.len() < MAX_ATTRIBUTES {
            step.attributes.entry(key).or_insert(value);
        }
    }
    if let Some(more) = added.declared {
        fill_declared(step.declare(), &more);
    }
    step
}

fn fill<T>(slot: &mut Option<T>, added: Option<T>) {
    if slot.is_none() {
        *slot = added;
    }
}

fn overwrite<T: Clone>(slot: &mut Option<T>, said: &Option<T>) {
    if said.is_some() {
        slot.clone_from(said);
    }
}

/// Fills what `declared` leaves unsaid with what `more` says.
pub fn fill_declared(declared: &mut Declared, more: &Declared) {
    fn fill<T: Clone>(slot: &mut Option<T>, more: &Option<T>) {
        if slot.is_none() {
            slot.clone_from(more);
        }
    }
    fill(&mut declared.outcome, &more.outcome);
    fill(&mut declared.outcome_reason, &more.outcome_reason);
    fill(&mut declared.workflow, &more.workflow);
    fill(&mut declared.conversation_id, &more.conversation_id);
    fill(&mut declared.user_id, &more.user_id);
    fill(&mut declared.release, &more.release);
    fill(&mut declared.environment, &more.environment);
    fill(&mut declared.cost_nanos, &more.cost_nanos);
    fill(&mut declared.waiting_ms, &more.waiting_ms);
    fill(&mut declared.title, &more.title);
    declared.ended |= more.ended;
    declared.test |= more.test;
    if declared.results.is_empty() {
        declared.results.clone_from(&more.results);
    }
}

/// Puts together how reports were read.
fn add_reading(step: &mut Step, more: &Step) {
    fn add<T: Clone + PartialEq>(known: &mut Vec<T>, more: &[T]) {
        for word in more {
            if known.len() < MAX_READING && !known.contains(word) {
                known.push(word.clone());
            }
        }
    }
    let (reading, more) = (&mut step.reading, &more.reading);
    if reading.dialect.is_empty() {
        reading.dialect.clone_from(&more.dialect);
    }
    reading.n_attributes = reading.n_attributes.saturating_add(more.n_attributes);
    add(&mut reading.rules, &more.rules);
    add(&mut reading.unmapped, &more.unmapped);
    add(&mut reading.notes, &more.notes);
    add_masked(&mut reading.masked, &more.masked);
    reading.without_content |= more.without_content;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::derive::merge;
    use crate::money::Nanos;
    use crate::step::{Role, Score, StepError};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds)
    }

    fn said(text: &str) -> Vec<Message> {
        let text = text.to_owned();
        vec![Message { role: Role::User, text, tool_calls: Vec::new(), tool_call_id: None, name: None }]
    }

    fn whole() -> Step {
        Step {
            trace_id: "t".to_owned(),
            span_id: "s".to_owned(),
            name: "chat".to_owned(),
            kind: StepKind::Model,
            started_at: at(0),
            ended_at: at(10),
            received_at: at(11),
            ..Step::default()
        }
    }

    fn part(seconds: i64) -> Step {
        Step {
            trace_id: "t".to_owned(),
            span_id: "s".to_owned(),
            parent_span_id: Some(UNKNOWN_PARENT.to_owned()),
            name: "a record".to_owned(),
            started_at: at(seconds),
            ended_at: at(seconds),
            received_at: at(20),
            extent: Extent::Part(Part { said_at: at(seconds), ..Part::default() }),
            ..Step::default()
        }
    }

    fn one(steps: Vec<Step>) -> Step {
        let mut merged = merge(Vec::new(), steps);
        assert_eq!(merged.len(), 1);
        merged.remove(0)
    }

    #[test]
    fn a_part_adds_to_its_span_and_never_takes_its_place() {
        let mut record = part(30);
        record.input = said("Hi");
        record.model = Some("another".to_owned());
        record.error = Some(StepError { class: crate::step::ErrorClass::Other, code: None, message: "no".to_owned() });
        let mut span = whole();
        span.model = Some("m".to_owned());
        for steps in [vec![span.clone(), record.clone()], vec![record.clone(), span.clone()]] {
            let step = one(steps);
            assert_eq!((step.name.as_str(), step.ended_at, step.parent_span_id.as_deref()), ("chat", at(10), None));
            assert_eq!((step.model.as_deref(), step.input[0].text.as_str()), (Some("m"), "Hi"));
            assert!(step.error.is_some());
            assert_eq!(step.received_at, at(11));
        }
        span.status = StepStatus::Ok;
        assert_eq!(one(vec![span, record]).error, None, "the span says that it went well");
    }

    #[test]
    fn a_fuller_report_of_the_span_takes_the_place_of_the_span_s_only() {
        let mut record = part(3);
        record.output = said("Hello");
        let early = one(vec![whole(), record]);
        let mut late = whole();
        late.ended_at = at(12);
        late.model = Some("m".to_owned());
        let step = one(vec![early, late]);
        assert_eq!((step.ended_at, step.model.as_deref(), step.output.len()), (at(12), Some("m"), 1));
    }

    #[test]
    fn the_later_word_counts_and_what_is_unsaid_does_not() {
        let mut create = part(1);
        create.name = "plan".to_owned();
        create.extent = Extent::Part(Part { said_at: at(1), starts: true, names: true, ..Part::default() });
        (create.model, create.input) = (Some("a".to_owned()), said("Hi"));
        let mut update = part(2);
        update.ended_at = at(9);
        update.extent = Extent::Part(Part { said_at: at(2), ends: true, ..Part::default() });
        (update.model, update.output) = (Some("b".to_owned()), said("Hello"));
        let step = one(vec![update, create]);
        assert_eq!((step.name.as_str(), step.started_at, step.ended_at), ("plan", at(1), at(9)));
        assert_eq!((step.model.as_deref(), step.input.len(), step.output.len()), (Some("b"), 1, 1));
        assert_eq!(step.parent_span_id.as_deref(), Some(UNKNOWN_PARENT));
    }

    #[test]
    fn pieces_follow_each_other_and_repeats_are_none() {
        let piece = |seconds: i64, place: u32, text: &str| {
            let mut step = part(seconds);
            step.input = said(text);
            step.extent = Extent::Part(Part { said_at: at(seconds), place, follows: true, ..Part::default() });
            step
        };
        let steps = vec![piece(2, 0, "three"), piece(1, 1, "one"), piece(1, 2, "again"), piece(1, 7, "one")];
        let texts: Vec<String> = one(steps).input.into_iter().map(|message| message.text).collect();
        assert_eq!(texts, ["one", "again", "three"]);
    }

    #[test]
    fn a_judgement_given_again_takes_the_place_of_the_first() {
        let judged = |seconds: i64, value: f64| {
            let mut step = part(seconds);
            let name = "tone".to_owned();
            step.scores = vec![Score { name, value: Some(value), label: None, explanation: None, by_human: false }];
            let instead_of = "score 1".to_owned();
            step.extent = Extent::Part(Part { said_at: at(seconds), instead_of, ..Part::default() });
            step
        };
        let step = one(vec![judged(5, 0.5), judged(9, 1.0), whole(), judged(5, 0.5)]);
        assert_eq!(step.scores.iter().filter_map(|score| score.value).collect::<Vec<_>>(), [1.0]);
        assert_eq!(step.ended_at, at(10), "a judgement does not prolong what it judges");
    }

    #[test]
    fn very_many_parts_are_bounded() {
        let step = one((0..1_000).map(part).chain([whole()]).collect());
        let Extent::Joined(reports) = &step.extent else { panic!("it was made of several") };
        assert_eq!((reports.parts.len(), said_at(&reports.parts[0])), (MAX_PARTS, at(1_000 - 256)));
    }

    fn report() -> impl Strategy<Value = Step> {
        let kinds = select(vec![StepKind::Other, StepKind::Model, StepKind::Tool]);
        let texts = select(vec!["", "a", "b"]);
        let booleans = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
        (any::<bool>(), 0u8..3, 0i64..6, 0u32..3, kinds, (texts.clone(), texts.clone(), texts), booleans).prop_map(
            |(is_whole, id, n, place, kind, (name, text, model), (starts, ends, names, follows))| {
                let mut step = if is_whole { whole() } else { part(n) };
                step.span_id = format!("s{id}");
                step.kind = kind;
                step.ended_at = at(n + 3);
                step.received_at = at(20 + n);
                if !name.is_empty() {
                    step.name = name.to_owned();
                    step.attributes.insert(name.to_owned(), text.to_owned());
                    step.parent_span_id = Some(name.to_owned());
                }
                step.model = Some(model.to_owned()).filter(|model| !model.is_empty());
                step.cost_nanos = (n > 2).then_some(Nanos(n));
                step.input = if text.is_empty() { Vec::new() } else { said(text) };
                if starts {
                    step.declare().user_id = Some(text.to_owned());
                }
                if let Extent::Part(part) = &mut step.extent {
                    part.instead_of = if ends { text.to_owned() } else { String::new() };
                    part.place = place;
                    (part.starts, part.ends, part.names, part.follows) = (starts, ends, names, follows);
                }
                step
            },
        )
    }

    proptest! {
        #[test]
        fn order_repeats_and_splits_change_nothing(
            steps in proptest::collection::vec(report(), 1..24),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 24),
            splits in proptest::collection::vec(0usize..24, 3),
        ) {
            let whole = merge(Vec::new(), steps.clone());
            let mut shuffled = steps.clone();
            for (a, b) in order.iter().enumerate() {
                shuffled.swap(a % steps.len(), b.index(steps.len()));
            }
            let mut again: Vec<Step> = Vec::new();
            let mut rest = shuffled.as_slice();
            for split in splits {
                let (first, more) = rest.split_at(split.min(rest.len()));
                again = merge(again, merge(Vec::new(), first.to_vec()));
                rest = more;
            }
            again = merge(again, rest.to_vec());
            prop_assert_eq!(&merge(again.clone(), steps), &whole);
            prop_assert_eq!(again, whole);
        }

        #[test]
        fn what_was_joined_can_be_stored(steps in proptest::collection::vec(report(), 1..12)) {
            for step in merge(Vec::new(), steps) {
                let text = serde_json::to_string(&step).expect("a step is JSON");
                prop_assert_eq!(&serde_json::from_str::<Step>(&text).expect("it was written"), &step);
                prop_assert!(step.ended_at >= step.started_at && !step.name.is_empty());
            }
        }
    }
}
