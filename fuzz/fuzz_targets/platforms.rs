//! Any bytes as a delivery of every platform, as a page of its API, as what it signed, and as a reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steward_core::time::Timestamp;
use steward_wire::platforms::signature::verify;
use steward_wire::platforms::{Account, Delivery, Platform, read, read_detail, read_page, read_reason, says_money};

/// The headers that any scheme reads.
const HEADERS: [&str; 9] = [
    "authorization",
    "x-signature",
    "x-timestamp",
    "x-retell-signature",
    "elevenlabs-signature",
    "x-twilio-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

fuzz_target!(|body: &[u8]| {
    // The first line is also every header.
    let line = body.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or("");
    let headers = HEADERS.map(|name| (name, line));
    let base = Account { base_url: "https://x.example", token: "t", subject: "1", scope: "s", since: Timestamp(0) };
    let delivery = Delivery {
        method: "POST",
        url: line,
        headers: &headers,
        body,
        received_at: Timestamp::from_seconds(1_800_000_000),
        scope: "s",
    };
    for platform in Platform::ALL {
        let _ = verify(platform, &["secret"], &delivery);
        let _ = read(platform, &delivery);
        let _ = read_page(platform, &base, None, body, delivery.received_at);
        let _ = read_detail(platform, &base, "1", body, delivery.received_at);
    }
    let _ = (read_reason(line), says_money(line));
});
