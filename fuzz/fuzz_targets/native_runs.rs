//! Any bytes as native runs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_wire::native::read_runs;

fuzz_target!(|body: &[u8]| {
    let _ = read_runs(body);
});
