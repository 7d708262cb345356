//! Any bytes as one of Langfuse's judgements, or as a list of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_core::time::Timestamp;
use steward_wire::langfuse_api::{read_score, read_scores};

fuzz_target!(|body: &[u8]| {
    let _ = read_score(body, Timestamp::from_seconds(1_790_000_000));
    let _ = read_scores(body, Timestamp::from_seconds(1_790_000_000));
});
