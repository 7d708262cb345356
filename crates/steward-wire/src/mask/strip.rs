//! A step without what was said in it: names, kinds, times, tokens, costs and classes of errors stay.

use std::borrow::Cow;

use steward_core::parts::Extent;
use steward_core::privacy::Masked;
use steward_core::step::{Message, Step};

use super::Masker;

/// The most characters of a word that stays; what is longer is a text.
const MAX_WORD_CHARS: usize = 64;
/// The most characters of a number that stays.
const MAX_NUMBER_CHARS: usize = 9;

/// Takes out of a step what was said in it. Names that stay are masked, and ids of people get stand-ins.
#[must_use]
pub fn without_content(mut step: Step, masker: &Masker) -> Step {
    let mut strip = Strip { masker, counts: Masked::new() };
    strip.id(&mut step.trace_id);
    strip.id(&mut step.span_id);
    strip.name(&mut step.name);
    step.parent_span_id.iter_mut().for_each(|id| strip.id(id));
    let names = [
        &mut step.model,
        &mut step.provider,
        &mut step.tool,
        &mut step.agent,
        &mut step.response_id,
        &mut step.finish_reason,
    ];
    names.into_iter().flatten().for_each(|name| strip.name(name));
    if let Some(error) = &mut step.error {
        error.message.clear();
        error.code = error.code.take().and_then(|code| strip.word(code));
    }
    step.input.iter_mut().chain(&mut step.output).for_each(|message| strip.message(message));
    for score in &mut step.scores {
        strip.name(&mut score.name);
        score.label = score.label.take().and_then(|label| strip.word(label));
        score.explanation = None;
    }
    if let Some(declared) = &mut step.declared {
        declared.outcome_reason = None;
        declared.title = None;
        for id in [&mut declared.conversation_id, &mut declared.user_id].into_iter().flatten() {
            *id = masker.hide_id(id);
        }
        let names = [&mut declared.release, &mut declared.environment];
        names.into_iter().flatten().for_each(|name| strip.name(name));
        declared.results.iter_mut().for_each(|result| strip.name(&mut result.name));
    }
    if let Extent::Part(part) = &mut step.extent
        && !part.instead_of.is_empty()
    {
        part.instead_of = masker.hide_id(&part.instead_of);
    }
    let attributes = std::mem::take(&mut step.attributes);
    step.attributes = attributes
        .into_iter()
        .filter(|(_, value)| is_figure(value))
        .map(|(mut key, value)| {
            strip.name(&mut key);
            (key, value)
        })
        .collect();
    step.reading.unmapped.iter_mut().for_each(|key| strip.name(key));
    // A note in quotation marks tells what was sent.
    step.reading.notes.retain(|note| !note.contains('“'));
    step.reading.without_content = true;
    // What was masked in names is no news where everything else is gone.
    step
}

struct Strip<'a> {
    masker: &'a Masker,
    counts: Masked,
}

impl Strip<'_> {
    fn name(&mut self, name: &mut String) {
        if let Cow::Owned(masked) = self.masker.mask(name, &mut self.counts) {
            *name = masked;
        }
    }

    fn id(&mut self, id: &mut String) {
        if let Cow::Owned(stand_in) = self.masker.mask_id(id, &mut self.counts) {
            *id = stand_in;
        }
    }

    /// A word, masked; a text is none and is gone.
    fn word(&mut self, mut text: String) -> Option<String> {
        if text.chars().count() > MAX_WORD_CHARS || text.contains(char::is_whitespace) {
            return None;
        }
        self.name(&mut text);
        Some(text)
    }

    /// Who spoke, and which tools were asked for, stay.
    fn message(&mut self, message: &mut Message) {
        message.text.clear();
        message.tool_call_id.iter_mut().for_each(|id| self.id(id));
        message.name = message.name.take().and_then(|name| self.word(name));
        for call in &mut message.tool_calls {
            call.arguments.clear();
            self.name(&mut call.name);
            call.id.iter_mut().for_each(|id| self.id(id));
        }
    }
}

/// A short number, or a truth: what tells of no person.
fn is_figure(value: &str) -> bool {
    matches!(value, "true" | "false")
        || value.len() <= MAX_NUMBER_CHARS && value.parse::<f64>().is_ok_and(f64::is_finite)
}
