//! Steward's own attributes, on spans and on resources, on top of every dialect.
//!
//! | key | what it says |
//! |---|---|
//! | `steward.workflow` | the workflow by name |
//! | `steward.outcome`, `steward.outcome.reason` | what came of the run, and why |
//! | `steward.run.end` | true: the run is over |
//! | `steward.release`, `steward.environment` | the agent's release; `production`, `staging` |
//! | `steward.test` | true: figures leave the run out |
//! | `steward.user.id`, `steward.conversation.id` | the end user; the conversation |
//! | `steward.cost_usd` | money paid for the whole run |
//! | `steward.waiting_ms` | how long the run waited for a person |
//! | `steward.result.<name>` | a result: its value in whole units of the client's currency, or true |
//! | `steward.title` | what the run was about |
//! | `steward.flag` | true, or in words: somebody should look at this step |
//! | `steward.masked.<kind>` | how often something of a kind was masked before it was stored |

use opentelemetry_proto::tonic::common::v1::AnyValue;
use steward_core::errors::MAX_MESSAGE_CHARS;
use steward_core::exceptions::FLAG_ATTRIBUTE;
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::privacy::{MaskKind, Masked, add_masked};
use steward_core::step::DeclaredResult;

use crate::any;
use crate::draft::Draft;
use crate::text::{bounded, name};

/// The most results that one step may declare.
const MAX_RESULTS: usize = 100;

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let Some(rest) = key.strip_prefix("steward.") else { return Some(value) };
    match rest {
        "workflow" | "workflow.name" => draft.declared.workflow.offer_some(0, any::into_text(value)),
        "outcome" => {
            let word = any::into_text(value).unwrap_or_default();
            match Outcome::parse(&word) {
                Some(outcome) => draft.declared.outcome = Some(outcome),
                None => {
                    let word = bounded(word, 60);
                    draft.note(&format!("the outcome “{word}” is none that is known"));
                }
            }
        }
        "outcome.reason" => {
            draft.declared.outcome_reason = any::into_text(value).map(|text| bounded(text, MAX_MESSAGE_CHARS));
        }
        "run.end" | "run.ended" => draft.declared.ended |= any::truth(&value).unwrap_or(false),
        "release" => draft.declared.release.offer_some(0, any::into_text(value)),
        "environment" => draft.declared.environment.offer_some(0, any::into_text(value)),
        "test" => draft.declared.test |= any::truth(&value).unwrap_or(false),
        "user.id" => draft.declared.user_id.offer_some(0, any::into_text(value)),
        "conversation.id" => draft.declared.conversation_id.offer_some(0, any::into_text(value)),
        "cost_usd" => draft.declared.cost_nanos = draft.money(&value).or(draft.declared.cost_nanos),
        "waiting_ms" => {
            let waited = any::integer(&value).filter(|ms| *ms >= 0);
            if waited.is_none() {
                draft.note("a waiting time that is negative or no number was left out");
            }
            draft.declared.waiting_ms = waited.or(draft.declared.waiting_ms);
        }
        "title" => draft.declared.title.offer_some(0, any::into_text(value)),
        "flag" => {
            let text = any::into_text(value).map(|text| bounded(text, MAX_MESSAGE_CHARS));
            draft.step.attributes.extend(text.map(|text| (FLAG_ATTRIBUTE.to_owned(), text)));
        }
        _ if rest.starts_with("masked.") => {
            let Some(kind) = MaskKind::parse(&rest[7..]) else { return Some(value) };
            let n = any::integer(&value).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            let reading = &mut draft.step.reading;
            add_masked(&mut reading.masked, &Masked::from([(kind, n)]));
            // It is no attribute of the sender's.
            reading.n_attributes = reading.n_attributes.saturating_sub(1);
        }
        _ => {
            let Some(called) = rest.strip_prefix("result.").filter(|called| !called.is_empty()) else {
                return Some(value);
            };
            result(draft, called, &value);
        }
    }
    None
}

fn result(draft: &mut Draft, called: &str, value: &AnyValue) {
    let value_nanos = match any::truth(value) {
        // 1 and 0 as numbers are amounts of money; only a truth proper is "it happened".
        Some(false) if any::number(value).is_none() => return,
        _ => match any::number(value) {
            None => None,
            Some(units) => match Nanos::from_units(units) {
                Some(nanos) => Some(nanos),
                None => {
                    draft.note("the value of a result is no amount of money");
                    None
                }
            },
        },
    };
    if draft.declared.results.len() < MAX_RESULTS {
        draft.declared.results.push(DeclaredResult { name: name(called.to_owned()), value_nanos });
    }
}
