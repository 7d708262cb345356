//! Any bytes as a batch of Langfuse's events, and the answer to it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_wire::langfuse_api::read_batch;

fuzz_target!(|body: &[u8]| {
    if let Ok(batch) = read_batch(body) {
        let _ = batch.answer();
    }
});
