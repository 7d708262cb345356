//! Deliveries of platforms with what may not be kept taken out.
//!
//! A delivery belongs to one workflow, that of its connection, so one treatment holds for all of it. What is masked is
//! written as JSON, with the counts of what was masked in each event. Ids by which the phases of one call find each
//! other stay, or become stand-ins that are always the same.

use serde_json::Value;
use steward_core::privacy::{Content, Masked};
use steward_core::step::Step;

use super::payload::mask_counting;
use super::{Choose, Rest, Sorted, Treatment, without_content};
use crate::WireError;
use crate::platforms::{self, Delivery, Platform};

/// Takes out of a verified delivery what may not be kept. Events that cannot be read are gone where anything is.
///
/// # Errors
///
/// When the body is not at all what the platform sends.
pub fn keep_of_delivery(
    platform: Platform,
    delivery: &Delivery<'_>,
    choose: Choose<'_, '_>,
) -> Result<Sorted, WireError> {
    let steps = platforms::read(platform, delivery)?.steps;
    let Treatment { content, masker } = choose(&steps.iter().collect::<Vec<&Step>>());
    Ok(match content {
        Content::Full => Sorted { rest: Rest::AsItCame, stripped: Vec::new() },
        Content::None => {
            let stripped = steps.into_iter().map(|step| without_content(step, masker)).collect();
            Sorted { rest: Rest::Nothing, stripped }
        }
        Content::Masked => {
            let mut kept = Vec::new();
            for event in platforms::events_of(platform, delivery.body)? {
                if !platforms::read_one(platform, delivery, event.clone()).is_ok_and(|steps| !steps.is_empty()) {
                    continue;
                }
                let Value::Object(mut event) = event else { continue };
                let mut counts = Masked::new();
                masker.mask_users(platforms::user_keys(platform), "", &mut event, &mut counts);
                mask_counting(masker, &mut event, &mut counts);
                kept.push(Value::Object(event));
            }
            let rest = if kept.is_empty() { Rest::Nothing } else { Rest::Rewritten(events_as_bytes(kept)) };
            Sorted { rest, stripped: Vec::new() }
        }
    })
}

/// One event by itself, as most deliveries hold one; several as a list.
fn events_as_bytes(mut events: Vec<Value>) -> Vec<u8> {
    let events = if events.len() == 1 { events.remove(0) } else { Value::Array(events) };
    events.to_string().into_bytes()
}

/// What may be kept of a payload that cannot be read.
#[must_use]
pub fn keep_of_unreadable(platform: Option<Platform>, body: &[u8], treatment: Treatment<'_>) -> Vec<u8> {
    let Treatment { content, masker } = treatment;
    match content {
        Content::Full => body.to_vec(),
        Content::None => Vec::new(),
        Content::Masked => {
            let events = match platform {
                Some(platform) => platforms::events_of(platform, body).ok(),
                None => None,
            };
            let Some(mut events) = events else {
                return masker.mask_text(&String::from_utf8_lossy(body)).0.into_owned().into_bytes();
            };
            for event in &mut events {
                masker.mask_value("", event, &mut Masked::new(), 0);
            }
            events_as_bytes(events)
        }
    }
}

/// Takes the events of whole traces out of a delivery, and with them those that do not tell whose they are.
///
/// # Errors
///
/// When the body is not at all what the platform sends.
pub fn without_traces_delivery(
    platform: Platform,
    delivery: &Delivery<'_>,
    is_gone: &dyn Fn(&str) -> bool,
) -> Result<Rest, WireError> {
    let mut events = platforms::events_of(platform, delivery.body)?;
    let n_events = events.len();
    events.retain(|event| match platforms::read_one(platform, delivery, event.clone()) {
        Ok(steps) => !steps.is_empty() && !steps.iter().any(|step| is_gone(&step.trace_id)),
        Err(_) => false,
    });
    Ok(match events.len() {
        left if left == n_events => Rest::AsItCame,
        0 => Rest::Nothing,
        _ => Rest::Rewritten(events_as_bytes(events)),
    })
}
