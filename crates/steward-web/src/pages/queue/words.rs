//! What pages of the queue say in words: why now, whose it is, what was said of it.

use std::collections::HashMap;

use steward_core::ids::PersonId;
use steward_core::money::Currency;
use steward_core::queue::{ClosedBy, QueueItem};
use steward_core::reviews::{AgentWas, Cause, Judgement, PreventedBy, Review};
use steward_core::time::Timestamp;

use crate::WebState;
use crate::problem::PageError;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::icon::Icon;
use crate::view::format;

use super::super::around::Visit;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// What is due within so long is urgent.
const SOON_MS: i64 = 4 * HOUR_MS;

/// A stretch of time as one says it in passing: "12 min", "3 h", "6 d".
pub(in crate::pages) fn rough(ms: i64) -> String {
    match ms {
        ms if ms < 60 * MINUTE_MS => format!("{} min", (ms / MINUTE_MS).max(1)),
        ms if ms < 48 * HOUR_MS => format!("{} h", ms / HOUR_MS),
        ms => format!("{} d", ms / DAY_MS),
    }
}

/// Why an item stands where it does: "€45 at stake · due in 3 h · a person is waiting", and how urgent that is.
pub(in crate::pages) fn why(item: &QueueItem, visit: &Visit, currency: Currency) -> (String, Tone) {
    let mut parts = Vec::new();
    if visit.sees_money() {
        parts.push(match item.value_nanos {
            Some(value) => {
                let shown = format::money_short(value, currency);
                format!("{}{} at stake", shown.text, shown.unit)
            }
            None => "no value set".to_owned(),
        });
    }
    // Below nothing where it is late.
    let left_ms = (item.due_at.0 - visit.now.0) / 1_000;
    parts.push(if left_ms >= 0 { format!("due in {}", rough(left_ms)) } else { format!("{} late", rough(-left_ms)) });
    if item.person_waits() {
        parts.push("a person is waiting".to_owned());
    }
    let tone = match left_ms {
        _ if !item.is_open() => Tone::Neutral,
        left if left < 0 => Tone::Bad,
        left if left < SOON_MS => Tone::Warn,
        _ => Tone::Neutral,
    };
    (parts.join(" · "), tone)
}

/// Who is who in the agency, as far as somebody may know it.
#[derive(Debug, Default)]
pub(in crate::pages) struct Colleagues {
    me: Option<PersonId>,
    names: HashMap<PersonId, String>,
    in_use: Vec<(PersonId, String)>,
}

impl Colleagues {
    /// Loads the names that a person may see.
    pub(in crate::pages) async fn load(state: &WebState, visit: &Visit) -> Result<Self, PageError> {
        let actor = &visit.who.actor;
        let mut names = HashMap::from([(actor.person_id, actor.name.clone())]);
        let mut in_use = vec![(actor.person_id, actor.name.clone())];
        if visit.operates() {
            in_use = state.app.list_reviewers(actor).await?;
            names.extend(in_use.iter().cloned());
        }
        Ok(Self { me: Some(actor.person_id), names, in_use })
    }

    /// What somebody is called; "you" for whoever asks.
    pub(in crate::pages) fn name(&self, id: PersonId) -> String {
        if self.me == Some(id) {
            return "you".to_owned();
        }
        self.names.get(&id).cloned().unwrap_or_else(|| "a colleague".to_owned())
    }

    /// Those who can be given work: id and name.
    pub(in crate::pages) fn choices(&self) -> Vec<(String, String)> {
        self.in_use.iter().map(|(id, name)| (id.to_string(), name.clone())).collect()
    }
}

/// Whose an item is: who works on it, else to whom it is assigned.
pub(in crate::pages) fn whose(item: &QueueItem, visit: &Visit, colleagues: &Colleagues) -> String {
    let me = visit.who.actor.person_id;
    match (item.held_by(visit.now), item.assignee) {
        (Some(claim), _) => {
            let who = if claim.person_id == me { "you".to_owned() } else { claim.person.clone() };
            let until = claim.until.to_jiff().to_zoned(visit.zone.clone()).strftime("%H:%M").to_string();
            format!("{who}, until {until}")
        }
        (None, Some(person)) => colleagues.name(person),
        (None, None) => "nobody".to_owned(),
    }
}

/// How far the review of an item is, in a word or two.
pub(in crate::pages) fn review_state(item: &QueueItem, visit: &Visit) -> String {
    match (item.closed_at, item.closed_by, item.held_by(visit.now)) {
        (Some(_), Some(ClosedBy::Muted), _) => "muted".to_owned(),
        (Some(_), Some(ClosedBy::Gone), _) => "gone".to_owned(),
        (Some(_), ..) => "reviewed".to_owned(),
        (None, _, Some(claim)) if claim.person_id == visit.who.actor.person_id => "yours now".to_owned(),
        (None, _, Some(claim)) => format!("{} works on it", claim.person),
        (None, _, None) if item.due_at < visit.now => "waits, late".to_owned(),
        (None, _, None) => "waits".to_owned(),
    }
}

/// The badge of an item that waits no longer.
pub(in crate::pages) fn closed_badge(item: &QueueItem) -> Option<Badge> {
    item.closed_at?;
    Some(match item.closed_by {
        Some(ClosedBy::Review) | None => Badge::new(Icon::Completed, "reviewed", Tone::Good),
        Some(ClosedBy::Muted) => Badge::new(Icon::Silent, "muted", Tone::Neutral),
        Some(ClosedBy::Gone) => Badge::new(Icon::Info, "gone", Tone::Neutral),
    })
}

/// What the agent was, as a label.
pub(in crate::pages) const fn agent_label(agent: AgentWas) -> &'static str {
    match agent {
        AgentWas::Right => "Right",
        AgentWas::Wrong => "Wrong",
    }
}

/// A cause, as a label.
pub(in crate::pages) const fn cause_label(cause: Cause) -> &'static str {
    match cause {
        Cause::BusinessRule => "Business rule",
        Cause::Prompt => "Prompt",
        Cause::Routing => "Routing",
        Cause::Tool => "Tool",
        Cause::Data => "Data",
        Cause::Model => "Model",
        Cause::User => "User",
        Cause::Platform => "Platform",
    }
}

/// What would have prevented it, as a label.
pub(in crate::pages) const fn prevented_label(by: PreventedBy) -> &'static str {
    match by {
        PreventedBy::Prompt => "Prompt",
        PreventedBy::Rule => "Rule",
        PreventedBy::Schema => "Schema",
        PreventedBy::Routing => "Routing",
        PreventedBy::Knowledge => "Knowledge",
        PreventedBy::Tool => "Tool",
    }
}

/// A judgement in a line: "wrong, because of the tool, preventable by a rule".
pub(in crate::pages) fn judgement(judgement: &Judgement) -> String {
    let mut parts = Vec::new();
    parts.extend(judgement.agent.map(|agent| format!("the agent was {}", agent.as_str())));
    parts.extend(judgement.outcome.map(|outcome| format!("the run is {}", outcome.as_str())));
    parts.extend(judgement.cause.map(|cause| format!("cause: {}", cause_label(cause).to_lowercase())));
    parts.extend(match (judgement.preventable, judgement.prevented_by) {
        (Some(true), Some(by)) => Some(format!("preventable: {}", prevented_label(by).to_lowercase())),
        (Some(true), None) => Some("preventable".to_owned()),
        (Some(false), _) => Some("not preventable".to_owned()),
        (None, _) => None,
    });
    if judgement.cleanup_minutes > 0 {
        parts.push(format!("{} min cleanup", judgement.cleanup_minutes));
    }
    if parts.is_empty() { "closed without a word on it".to_owned() } else { parts.join(" · ") }
}

/// Who reviewed, how long it took, and what is odd about it.
pub(in crate::pages) fn reviewed_by(review: &Review) -> String {
    let mut parts = vec![format!("by {}", review.reviewer)];
    parts.push(match review.active_ms {
        Some(ms) => format!("{} active", format::duration_ms(ms)),
        None => "time not known".to_owned(),
    });
    if !review.active_note.is_empty() {
        let measured = review.measured_ms.map_or_else(|| "nothing".to_owned(), format::duration_ms);
        parts.push(format!("measured {measured}: {}", review.active_note));
    }
    if review.bulk_id.is_some() {
        parts.push("with others of its pattern".to_owned());
    }
    if review.undone_at.is_some() {
        parts.push(if review.undone_by.is_empty() {
            "taken back".to_owned()
        } else {
            format!("taken back by {}", review.undone_by)
        });
    }
    parts.join(" · ")
}

/// Active time as a clock shows it: "4:05".
pub(in crate::pages) fn clock(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How long ago something was, and how long until it is.
pub(in crate::pages) fn age(since: Timestamp, now: Timestamp) -> String {
    rough(now.ms_since(since).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_roughly() {
        let told = [0, 90_000, 59 * MINUTE_MS, 60 * MINUTE_MS, 47 * HOUR_MS, 48 * HOUR_MS, 40 * DAY_MS].map(rough);
        assert_eq!(told, ["1 min", "1 min", "59 min", "1 h", "47 h", "2 d", "40 d"]);
    }

    #[test]
    fn a_clock_shows_hours_only_when_there_are_some() {
        assert_eq!([0, 999, 61_000, 3_600_000, -5].map(clock), ["0:00", "0:00", "1:01", "1:00:00", "0:00"]);
    }

    #[test]
    fn a_judgement_that_says_nothing_says_so() {
        assert_eq!(judgement(&Judgement::default()), "closed without a word on it");
        let said = Judgement {
            agent: Some(AgentWas::Wrong),
            cause: Some(Cause::BusinessRule),
            preventable: Some(true),
            prevented_by: Some(PreventedBy::Rule),
            cleanup_minutes: 5,
            ..Judgement::default()
        };
        assert_eq!(judgement(&said), "the agent was wrong · cause: business rule · preventable: rule · 5 min cleanup");
    }
}
