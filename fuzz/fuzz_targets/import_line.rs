//! Any text as a line of recorded runs, in every format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_wire::import::{Format, detect, read_line};

fuzz_target!(|line: &str| {
    let _ = detect(line);
    for format in Format::ALL {
        let _ = read_line(format, line);
    }
});
