//! Any bytes as every form of payload, masked or stripped, or without some of its traces: what is left is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_core::privacy::{Content, Privacy};
use steward_core::step::Step;
use steward_core::time::Timestamp;
use steward_wire::import::{Format, read_line};
use steward_wire::mask::{self, Masker, Rest, Sorted, Treatment};
use steward_wire::otlp::{Encoding, decode, logs::decode_logs};
use steward_wire::{langfuse_api, native};

const AT: Timestamp = Timestamp::from_seconds(1_790_000_000);

fuzz_target!(|body: &[u8]| {
    let privacy = Privacy { content: Some(Content::Masked), words: vec!["secret plan".to_owned()], ..Privacy::default() };
    let masker = Masker::new(&privacy, [7; 32]);
    if let Ok(text) = std::str::from_utf8(body) {
        let (masked, _) = masker.mask_text(text);
        let (again, counts) = masker.mask_text(&masked);
        assert!(counts.is_empty(), "{masked:?} became {again:?}");
    }
    for content in [Content::Masked, Content::None] {
        // Traces of an even length are kept as they are, so that one payload is treated in two ways.
        let choose = |steps: &[&Step]| {
            let is_even = steps.first().is_some_and(|step| step.trace_id.len() % 2 == 0);
            let content = if is_even && body.len() % 2 == 0 { Content::Full } else { content };
            Treatment { content, masker: &masker }
        };
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            if let Some(bytes) = rewritten(mask::keep_of_otlp(body, encoding, &choose).ok()) {
                decode(&bytes, Encoding::Protobuf).expect("what was written is read");
            }
            if let Some(bytes) = rewritten(mask::keep_of_logs(body, encoding, &choose).ok()) {
                decode_logs(&bytes, Encoding::Protobuf).expect("what was written is read");
            }
        }
        if let Some(bytes) = rewritten(mask::keep_of_batch(body, &choose).ok()) {
            langfuse_api::read_batch(&bytes).expect("what was written is read");
        }
        if let Some(bytes) = rewritten(mask::keep_of_scores(body, AT, &choose).ok()) {
            let _ = langfuse_api::read_scores(&bytes, AT);
        }
        if let Some(bytes) = rewritten(mask::keep_of_native(body, &choose).ok()) {
            native::read_runs(&bytes).expect("what was written is read");
        }
        if let Ok(line) = std::str::from_utf8(body) {
            for format in [Format::Transcript, Format::TauBench, Format::Tau2Bench] {
                if let Some(bytes) = rewritten(mask::keep_of_line(format, line, &choose).ok()) {
                    let _ = read_line(format, &String::from_utf8_lossy(&bytes));
                }
                let _ = mask::without_traces_line(format, line, &|trace| trace.len() % 2 == 0);
            }
        }
    }
    let is_gone = |trace: &str| trace.ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e']);
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        let _ = mask::without_traces_otlp(body, encoding, &is_gone);
        let _ = mask::without_traces_logs(body, encoding, &is_gone);
    }
    let _ = mask::without_traces_batch(body, &is_gone);
    let _ = mask::without_traces_scores(body, AT, &is_gone);
    let _ = mask::without_traces_native(body, &is_gone);
});

fn rewritten(sorted: Option<Sorted>) -> Option<Vec<u8>> {
    match sorted?.rest {
        Rest::Rewritten(bytes) => Some(bytes),
        Rest::AsItCame | Rest::Nothing => None,
    }
}
