//! Any bytes as a request of OTLP logs in protobuf.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_wire::otlp::Encoding;
use steward_wire::otlp::logs::decode_logs;

fuzz_target!(|body: &[u8]| {
    let _ = decode_logs(body, Encoding::Protobuf);
});
