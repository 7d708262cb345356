//! NUL characters, which databases cannot keep in a text and nobody can read: each becomes U+FFFD.
//!
//! It happens here and not where texts are stored, because keys of runs are texts too, and what is looked up has to be
//! what was stored.

use steward_core::parts::Extent;
use steward_core::step::{Message, Step};

/// Takes the NULs out of every text of a step.
pub(crate) fn replace_in(step: &mut Step) {
    plain(&mut step.trace_id);
    plain(&mut step.span_id);
    plain(&mut step.name);
    let options = [
        &mut step.parent_span_id,
        &mut step.model,
        &mut step.provider,
        &mut step.tool,
        &mut step.agent,
        &mut step.response_id,
        &mut step.finish_reason,
    ];
    options.into_iter().flatten().for_each(plain);
    if let Some(error) = &mut step.error {
        plain(&mut error.message);
        error.code.iter_mut().for_each(plain);
    }
    step.input.iter_mut().chain(&mut step.output).for_each(in_message);
    for score in &mut step.scores {
        plain(&mut score.name);
        [&mut score.label, &mut score.explanation].into_iter().flatten().for_each(plain);
    }
    if let Some(declared) = &mut step.declared {
        let options = [
            &mut declared.outcome_reason,
            &mut declared.workflow,
            &mut declared.conversation_id,
            &mut declared.user_id,
            &mut declared.release,
            &mut declared.environment,
            &mut declared.title,
        ];
        options.into_iter().flatten().for_each(plain);
        declared.results.iter_mut().for_each(|result| plain(&mut result.name));
    }
    step.attributes.values_mut().for_each(plain);
    if step.attributes.keys().any(|key| key.contains('\0')) {
        let attributes = std::mem::take(&mut step.attributes);
        step.attributes = attributes.into_iter().map(|(key, value)| (key.replace('\0', "\u{fffd}"), value)).collect();
    }
    if let Extent::Part(part) = &mut step.extent {
        plain(&mut part.instead_of);
    }
    step.reading.unmapped.iter_mut().chain(&mut step.reading.notes).for_each(plain);
}

fn in_message(message: &mut Message) {
    plain(&mut message.text);
    [&mut message.tool_call_id, &mut message.name].into_iter().flatten().for_each(plain);
    for call in &mut message.tool_calls {
        plain(&mut call.name);
        plain(&mut call.arguments);
        call.id.iter_mut().for_each(plain);
    }
}

fn plain(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

#[cfg(test)]
mod tests {
    use crate::import::{Format, read_line};
    use crate::native::read_runs;

    const RUN: &str = r#"{"id": "a\u0000b", "workflow": "w\u0000", "started_at": 1, "title": "\u0000", "user_id": "\u0000",
        "metadata": {"k\u0000": "v\u0000"}, "messages": [{"role": "user", "content": "\u0000", "timestamp": 1795400000}],
        "error": "\u0000", "release": "1\u0000", "conversation_id": "\u0000c", "outcome": "failed"}"#;

    #[test]
    fn no_nul_is_left_in_any_text() {
        let run = RUN.replace("\"started_at\": 1,", "\"started_at\": 1795400000,");
        let steps = read_runs(run.as_bytes()).expect("a run").steps;
        assert!(!steps.is_empty());
        let imported = read_line(Format::Native, &run.replace('\n', " ")).expect("a run");
        for text in [format!("{steps:?}"), format!("{:?} {}", imported.steps, imported.key)] {
            assert!(text.contains('\u{fffd}') && !text.contains("\\0"), "{text}");
        }
    }
}
