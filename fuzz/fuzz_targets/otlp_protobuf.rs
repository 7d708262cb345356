//! Any bytes as an OTLP request in protobuf.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_wire::otlp::{Encoding, decode};

fuzz_target!(|body: &[u8]| {
    let _ = decode(body, Encoding::Protobuf);
});
