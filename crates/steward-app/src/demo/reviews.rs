//! What the demo's people made of what waited: most of what is old is closed, of what is young about half.

use steward_core::exceptions::ExceptionKind;
use steward_core::outcome::Outcome;
use steward_core::queue::{ItemKind, QueueItem};
use steward_core::reviews::{AgentWas, Cause, Judgement, PreventedBy};
use steward_core::sampling::{SamplingRule, Strata};
use steward_core::time::Timestamp;

use super::random::Random;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What somebody made of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoReview {
    /// When they closed it.
    pub closed_at: Timestamp,
    /// How long they worked on it, in milliseconds.
    pub active_ms: i64,
    /// What they said.
    pub judgement: Judgement,
}

/// A sort of case, by words of its message, and how such cases are judged.
struct Habit {
    /// The first of these that the message has decides; none fits all.
    words: &'static [&'static str],
    /// How often the agent was right.
    right: f64,
    cause: Cause,
    /// How often it could have been prevented, and by what.
    preventable: f64,
    by: PreventedBy,
    /// Minutes of cleanup, at least and at most.
    cleanup: (i64, i64),
    /// Seconds of review, about.
    seconds: i64,
    resolutions: &'static [&'static str],
}

const HABITS: &[Habit] = &[
    Habit {
        words: &["Rate limit", "overloaded", "timed out", "did not answer", "restarting", "Internal Server Error"],
        right: 0.97,
        cause: Cause::Platform,
        preventable: 0.05,
        by: PreventedBy::Routing,
        cleanup: (0, 3),
        seconds: 25,
        resolutions: &["Started it again; it went through", "It had gone through at the second try", "Nothing to do"],
    },
    Habit {
        words: &["access token", "Unauthorized"],
        right: 0.95,
        cause: Cause::Platform,
        preventable: 0.9,
        by: PreventedBy::Tool,
        cleanup: (2, 6),
        seconds: 45,
        resolutions: &["Renewed the token and started it again"],
    },
    Habit {
        words: &["transfer_to_", "ask_bookkeeper", "hand_to_planner", "took over"],
        right: 0.72,
        cause: Cause::BusinessRule,
        preventable: 0.38,
        by: PreventedBy::Knowledge,
        cleanup: (3, 18),
        seconds: 140,
        resolutions: &[
            "Called back and finished it by hand",
            "Answered by e-mail with what the agent could not know",
            "Made an exception, as agreed with the client",
            "Told the team; they had it done within the hour",
        ],
    },
    Habit {
        words: &["what the website says", "not solve", "don’t understand", "unable to complete"],
        right: 0.2,
        cause: Cause::Prompt,
        preventable: 0.7,
        by: PreventedBy::Prompt,
        cleanup: (2, 12),
        seconds: 170,
        resolutions: &[
            "Wrote to the customer with the right answer",
            "Called back; it was a misunderstanding of the question",
            "Sent the steps one by one; that solved it",
        ],
    },
    Habit {
        words: &["should match the number", "does not add up", "required field", "not an expression"],
        right: 0.08,
        cause: Cause::Model,
        preventable: 0.85,
        by: PreventedBy::Schema,
        cleanup: (1, 6),
        seconds: 80,
        resolutions: &["Filled in what was missing and sent it again", "Corrected the numbers by hand"],
    },
    Habit {
        words: &["does not match order", "not found", "could not be verified", "call-back number"],
        right: 0.82,
        cause: Cause::Data,
        preventable: 0.4,
        by: PreventedBy::Tool,
        cleanup: (1, 8),
        seconds: 75,
        resolutions: &[
            "Found it by the e-mail address and answered",
            "Asked for the number again; it was mistyped",
            "Told the shop that its records are behind",
        ],
    },
    Habit {
        words: &["past its return window", "cannot be cancelled", "cannot be returned", "cannot be issued"],
        right: 0.93,
        cause: Cause::BusinessRule,
        preventable: 0.1,
        by: PreventedBy::Rule,
        cleanup: (0, 4),
        seconds: 55,
        resolutions: &["It was right to refuse; explained why", "Offered a voucher instead"],
    },
    Habit {
        words: &["no longer free", "out of stock", "not enough seats", "is not available", "no technician"],
        right: 0.9,
        cause: Cause::Data,
        preventable: 0.3,
        by: PreventedBy::Tool,
        cleanup: (2, 7),
        seconds: 70,
        resolutions: &["Offered the next two that are free", "Put them on the waiting list and wrote to them"],
    },
    Habit {
        words: &[],
        right: 0.6,
        cause: Cause::Tool,
        preventable: 0.35,
        by: PreventedBy::Tool,
        cleanup: (0, 9),
        seconds: 90,
        resolutions: &[
            "Finished it by hand",
            "Told the customer what will happen next",
            "Passed it to the tool's maker",
        ],
    },
];

/// The workflow of which completed runs are sampled, by what its runs call it, and how.
pub const SAMPLED: (&str, SamplingRule) =
    ("tamarisk-support", SamplingRule { share: 0.1, strata: Strata::Release, at_least: 1, at_most: 8 });
/// For how many days it has been sampled.
pub const SAMPLED_DAYS: i64 = 29;

/// How often a claim of the sampled workflow stands: the shop's agent calls completed what it has said goodbye to.
const STANDS: f64 = 0.86;
/// What falls, by what it is instead.
const FALLS: [(Outcome, f64); 3] = [(Outcome::Failed, 0.7), (Outcome::Escalated, 0.2), (Outcome::Abandoned, 0.1)];
/// What was done about claims that fell.
const MENDED: [&str; 4] = [
    "The refund was promised and never started; started it",
    "The customer wrote again two days later with the same question",
    "Said that the parcel was on its way; it was not",
    "The address was changed in the chat and not in the order",
];

/// What somebody made of an item by `now`. `None` where it still waits.
#[must_use]
pub fn review(seed: u64, item: &QueueItem, now: Timestamp) -> Option<DemoReview> {
    let mut random = Random::new(seed, &[hash(&item.run_key), hash(&item.message)]);
    let age_days = now.ms_since(item.arrived_at) as f64 / DAY_MS as f64;
    let waits = item.person_waits();
    let share = match age_days {
        age if age > 14.0 => 1.0,
        age if waits && age > 2.0 => 1.0,
        age if age > 7.0 => 0.95,
        age if age > 3.0 => 0.85,
        _ if waits => 0.8,
        _ => 0.6,
    };
    if !random.happens(share) {
        return None;
    }
    // Who waits is answered within hours; the rest when there is time for it.
    let hours = if waits { 0.3 + 5.0 * random.share() * random.share() } else { 1.0 + 46.0 * random.share() };
    let closed_at = item.arrived_at.plus_ms((hours * HOUR_MS as f64) as i64);
    if closed_at > now.plus_ms(-20 * MINUTE_MS) {
        return None;
    }
    if item.kind == ItemKind::Sample {
        return Some(look_at_sample(closed_at, &mut random));
    }
    let fits = |habit: &&Habit| habit.words.is_empty() || habit.words.iter().any(|words| item.message.contains(words));
    let habit = HABITS.iter().find(fits)?;
    let agent = if random.happens(habit.right) { AgentWas::Right } else { AgentWas::Wrong };
    let preventable = random.happens(habit.preventable);
    let causes = [habit.cause, Cause::User, Cause::Prompt, Cause::Tool];
    let cause = causes[random.weighted(&[0.8, 0.09, 0.06, 0.05])];
    let by = [habit.by, PreventedBy::Prompt, PreventedBy::Knowledge][random.weighted(&[0.8, 0.1, 0.1])];
    let minutes = random.between(habit.cleanup.0, habit.cleanup.1);
    let seconds = habit.seconds as f64 * (0.4 + random.share() + random.share() * random.share());
    // Now and then the outcome was read wrongly: the customer had what they came for.
    let outcome =
        (item.exception_kind == Some(ExceptionKind::Failure) && random.happens(0.05)).then_some(Outcome::Completed);
    Some(DemoReview {
        closed_at,
        active_ms: (seconds * 1_000.0) as i64,
        judgement: Judgement {
            agent: Some(agent),
            outcome,
            cause: Some(cause),
            preventable: Some(preventable),
            prevented_by: preventable.then_some(by),
            cleanup_minutes: u32::try_from(minutes).unwrap_or(0),
            resolution: if random.happens(0.6) { random.pick(habit.resolutions).to_owned() } else { String::new() },
            comment: String::new(),
        },
    })
}

/// What somebody made of a run that was taken by chance.
fn look_at_sample(closed_at: Timestamp, random: &mut Random) -> DemoReview {
    let stands = random.happens(STANDS);
    let outcome = FALLS[random.weighted(&FALLS.map(|(_, weight)| weight))].0;
    let resolution = random.pick(&MENDED).to_owned();
    let active_ms = (100_000.0 * (0.4 + random.share() + random.share() * random.share())) as i64;
    let judgement = if stands {
        Judgement { agent: Some(AgentWas::Right), ..Judgement::default() }
    } else {
        Judgement {
            agent: Some(AgentWas::Wrong),
            outcome: Some(outcome),
            cause: Some(Cause::Prompt),
            preventable: Some(true),
            prevented_by: Some(PreventedBy::Prompt),
            cleanup_minutes: 6,
            resolution,
            comment: String::new(),
        }
    };
    DemoReview { closed_at, active_ms, judgement }
}

/// FNV-1a: the same on every machine.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
