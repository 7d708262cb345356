//! The queue: what waits for a person, and in which order.
//!
//! What stands first is what waiting costs most: the value at stake times an urgency that doubles every day, at the
//! due time 1. Since *now* is the same for every item, the order is that of `log2(value) − due`, with the due time in
//! days: a number that never changes while an item waits, so it is stored and indexed.

use serde::{Deserialize, Serialize};

use crate::exceptions::ExceptionKind;
use crate::ids::{ClientId, ExceptionId, ItemId, PatternId, PersonId, ReviewId, RunId, WorkflowId};
use crate::money::Nanos;
use crate::rules::ResultValue;
use crate::time::Timestamp;
use crate::workflow::{ValueBasis, WorkflowSettings};

/// How long a claim holds without a sign of life, in milliseconds.
pub const LEASE_MS: i64 = 15 * 60_000;
/// How old the end of a run may be for its exceptions to enter, in milliseconds: what is imported from longer ago is
/// history, which nobody waits for.
pub const OLDEST_MS: i64 = 30 * DAY_MS;
/// The most rules of an agency.
pub const MAX_RULES: usize = 100;
/// The longest due time that a rule gives, in minutes: a year.
pub const MAX_DUE_MINUTES: u32 = 366 * 24 * 60;
/// The most characters of a rule's name, tool or class.
pub const MAX_WORD_CHARS: usize = 120;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The rank of one doubling.
const DOUBLING: i64 = 1_000_000;
/// Microseconds of a day that make one unit of rank.
const MICROS_A_UNIT: i64 = DAY_MS * 1_000 / DOUBLING;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// An exception of a run.
    Exception,
    /// A completed run that is looked at for its quality.
    Sample,
}

impl ItemKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Exception, Self::Sample];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exception => "exception",
            Self::Sample => "sample",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why an item no longer waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// Somebody reviewed it.
    Review,
    /// Its pattern is muted; it is open again when that is taken back.
    Muted,
    /// Its run was read again and no longer has it; it is open again when it has.
    Gone,
}

impl ClosedBy {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Review, Self::Muted, Self::Gone];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Muted => "muted",
            Self::Gone => "gone",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }
}

/// Who works on an item, and until when nobody else can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub person_id: PersonId,
    /// Their name.
    pub person: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when it holds; whoever comes later may take it.
    pub until: Timestamp,
    /// Active time that was measured so far, in milliseconds; `None` while nothing was.
    pub active_ms: Option<i64>,
}

impl Claim {
    /// Whether it still keeps others off.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

/// Something that waits for a person, or has waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueItem {
    /// Its id: of an exception's item, the exception's.
    pub id: ItemId,
    /// What waits.
    pub kind: ItemKind,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The run.
    pub run_id: RunId,
    /// The run's key, by which people's words are kept.
    pub run_key: String,
    /// The run's release; empty when not said.
    pub release: String,
    /// The pattern; `None` for a sample.
    pub pattern_id: Option<PatternId>,
    /// The sort of exception; `None` for a sample.
    pub exception_kind: Option<ExceptionKind>,
    /// The class of the error; empty for what is no error.
    pub class: String,
    /// The tool; empty when there was none.
    pub tool: String,
    /// What it says, or why the run was taken as a sample.
    pub message: String,
    /// Since when it waits: the end of its run, or when it was taken as a sample.
    pub arrived_at: Timestamp,
    /// When it should be done.
    pub due_at: Timestamp,
    /// The value at stake in nano-units of the client's currency; `None` when no value is set, or not to be seen.
    pub value_nanos: Option<Nanos>,
    /// Its place: the highest first. 0 when not to be seen.
    pub rank: i64,
    /// Whose it is; `None` while it is nobody's.
    pub assignee: Option<PersonId>,
    /// Who works on it, or did last.
    pub claim: Option<Claim>,
    /// When it was closed; `None` while it waits.
    pub closed_at: Option<Timestamp>,
    /// Why.
    pub closed_by: Option<ClosedBy>,
    /// The review that closed it.
    pub review_id: Option<ReviewId>,
}

impl QueueItem {
    /// The exception that waits; `None` for a sample.
    #[must_use]
    pub fn exception_id(&self) -> Option<ExceptionId> {
        (self.kind == ItemKind::Exception).then(|| ExceptionId::from_uuid(self.id.as_uuid()))
    }

    /// Whether it waits.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// Whether somebody on the other side waits for an answer.
    #[must_use]
    pub fn person_waits(&self) -> bool {
        self.exception_kind.is_some_and(person_waits)
    }

    /// Who keeps others off it now.
    #[must_use]
    pub fn held_by(&self, now: Timestamp) -> Option<&Claim> {
        self.claim.as_ref().filter(|claim| self.is_open() && claim.holds(now))
    }
}

/// The item of an exception.
#[must_use]
pub const fn item_of(exception: ExceptionId) -> ItemId {
    ItemId::from_uuid(exception.as_uuid())
}

/// Whether an exception of this sort means that somebody on the other side waits for an answer.
#[must_use]
pub const fn person_waits(kind: ExceptionKind) -> bool {
    matches!(kind, ExceptionKind::Escalation | ExceptionKind::Flag)
}

/// How long an item may wait where no rule says, in milliseconds: hours where a person waits, else days.
#[must_use]
pub const fn default_due_ms(kind: Option<ExceptionKind>) -> i64 {
    match kind {
        Some(ExceptionKind::Escalation | ExceptionKind::Flag) => 4 * HOUR_MS,
        Some(ExceptionKind::Error | ExceptionKind::Failure | ExceptionKind::Validation) => 2 * DAY_MS,
        Some(ExceptionKind::Limit | ExceptionKind::Refusal | ExceptionKind::Empty | ExceptionKind::Expectation) => {
            3 * DAY_MS
        }
        None => 7 * DAY_MS,
    }
}

/// What a workflow's settings say that one completed run is worth, in nano-units of the client's currency. `None`
/// when they say nothing.
///
/// Where results have values it is the highest: what the run could have brought about.
#[must_use]
pub fn value_at_stake(settings: &WorkflowSettings) -> Option<Nanos> {
    let value = match &settings.value {
        ValueBasis::None => None,
        ValueBasis::Results => settings
            .result_rules
            .iter()
            .filter_map(|rule| match rule.value {
                ResultValue::Fixed { nanos } => Some(nanos),
                ResultValue::None | ResultValue::Attribute { .. } | ResultValue::Json { .. } => None,
            })
            .max(),
        ValueBasis::PerCompletedRun { nanos } => Some(*nanos),
        ValueBasis::TimeSaved { nanos_per_hour } => {
            settings.baseline_minutes.map(|minutes| nanos_per_hour.times(minutes / 60.0))
        }
    };
    value.filter(|nanos| nanos.0 > 0)
}

/// The part of a rank that the value at stake makes: doublings above one US dollar, in millionths. What has no value,
/// or less than a dollar, counts as one dollar, and so is ordered by urgency alone.
#[must_use]
pub fn weight(value: Option<Nanos>, units_per_usd: f64) -> i64 {
    let usd = value.map_or(1.0, |nanos| nanos.units() / units_per_usd);
    if usd.is_finite() && usd > 1.0 { (usd.log2() * DOUBLING as f64).round() as i64 } else { 0 }
}

/// The place of an item among all others, the highest first.
#[must_use]
pub const fn rank(weight: i64, due_at: Timestamp) -> i64 {
    weight.saturating_sub(due_at.0.div_euclid(MICROS_A_UNIT))
}

/// What an item must be for a rule to fit; what is `None` fits all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleWhen {
    /// Of this client.
    pub client: Option<ClientId>,
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// An exception of this sort.
    pub kind: Option<ExceptionKind>,
    /// An error of this class.
    pub class: Option<String>,
    /// Of this tool.
    pub tool: Option<String>,
    /// Of this pattern.
    pub pattern: Option<PatternId>,
    /// With at least so much at stake, in nano-units of the client's currency.
    pub least_value_nanos: Option<Nanos>,
}

/// A rule of the queue: whose an item is, and by when it should be done. The first that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueRule {
    /// Its name.
    pub name: String,
    /// When it fits.
    pub when: RuleWhen,
    /// Whose the item is; `None` leaves it to everybody.
    pub assign_to: Option<PersonId>,
    /// By when it should be done, in minutes after it arrived; `None` takes the default of its sort.
    pub due_minutes: Option<u32>,
}

/// What a rule is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arriving<'a> {
    /// The client.
    pub client: Option<ClientId>,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The sort of exception; `None` for a sample.
    pub kind: Option<ExceptionKind>,
    /// The class of the error.
    pub class: &'a str,
    /// The tool.
    pub tool: &'a str,
    /// The pattern.
    pub pattern: Option<PatternId>,
    /// The value at stake, in nano-units of the client's currency.
    pub value: Option<Nanos>,
}

/// Why a rule is not taken, in words for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitRule {
    /// Too many.
    #[error("an agency has at most {MAX_RULES} rules of the queue")]
    TooMany,
    /// A name or word that is too long or no line of text.
    #[error("{0} of a rule has at most {MAX_WORD_CHARS} characters, all of them in one line")]
    NoWord(&'static str),
    /// A rule that does nothing.
    #[error("a rule assigns, or sets a due time, or both")]
    DoesNothing,
    /// A due time that is none.
    #[error("a due time has 1 to {MAX_DUE_MINUTES} minutes: at most a year")]
    NoDueTime,
    /// A value that is none.
    #[error("the least value of a rule is not below nothing")]
    NoValue,
}

impl QueueRule {
    /// Whether it fits.
    #[must_use]
    pub fn fits(&self, item: &Arriving<'_>) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let when = &self.when;
        let word = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(when.client.as_ref(), item.client.as_ref())
            && is(when.workflow.as_ref(), Some(&item.workflow))
            && is(when.kind.as_ref(), item.kind.as_ref())
            && is(when.pattern.as_ref(), item.pattern.as_ref())
            && word(&when.class, item.class)
            && word(&when.tool, item.tool)
            && when.least_value_nanos.is_none_or(|least| item.value.is_some_and(|value| value >= least))
    }

    /// The rule with its words trimmed.
    ///
    /// # Errors
    ///
    /// An [`UnfitRule`] that says what is wrong with it.
    pub fn checked(mut self) -> Result<Self, UnfitRule> {
        let line = |text: &str, what| {
            let text = text.trim();
            let fits = text.chars().take(MAX_WORD_CHARS + 1).count() <= MAX_WORD_CHARS;
            let fits = fits && !text.chars().any(char::is_control);
            if fits { Ok(text.to_owned()) } else { Err(UnfitRule::NoWord(what)) }
        };
        self.name = line(&self.name, "the name")?;
        for (word, what) in [(&mut self.when.class, "the class"), (&mut self.when.tool, "the tool")] {
            *word = word.take().map(|text| line(&text, what)).transpose()?.filter(|text| !text.is_empty());
        }
        if self.when.least_value_nanos.is_some_and(|nanos| nanos.0 < 0) {
            return Err(UnfitRule::NoValue);
        }
        if self.assign_to.is_none() && self.due_minutes.is_none() {
            return Err(UnfitRule::DoesNothing);
        }
        if self.due_minutes.is_some_and(|minutes| !(1..=MAX_DUE_MINUTES).contains(&minutes)) {
            return Err(UnfitRule::NoDueTime);
        }
        Ok(self)
    }
}

/// Whose an arriving item is and when it is due, by the first rule that fits.
#[must_use]
pub fn decide(rules: &[QueueRule], item: &Arriving<'_>, arrived_at: Timestamp) -> (Option<PersonId>, Timestamp) {
    let rule = rules.iter().find(|rule| rule.fits(item));
    let due_ms = rule
        .and_then(|rule| rule.due_minutes)
        .map_or_else(|| default_due_ms(item.kind), |minutes| i64::from(minutes) * 60_000);
    (rule.and_then(|rule| rule.assign_to), arrived_at.plus_ms(due_ms))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn arriving() -> Arriving<'static> {
        Arriving {
            client: Some(ClientId::from_uuid(Uuid::from_u128(1))),
            workflow: WorkflowId::from_uuid(Uuid::from_u128(2)),
            kind: Some(ExceptionKind::Error),
            class: "server",
            tool: "book",
            pattern: Some(PatternId::from_uuid(Uuid::from_u128(3))),
            value: Some(Nanos(45_000_000_000)),
        }
    }

    #[test]
    fn twice_the_value_is_worth_a_day() {
        let of = |units: i64, due_ms| rank(weight(Some(Nanos(units * 1_000_000_000)), 1.0), NOON.plus_ms(due_ms));
        assert_eq!(of(8, DAY_MS), of(4, 0));
        assert!(of(8, 0) > of(4, 0));
        assert!(of(4, 0) > of(4, 1_000), "a second counts");
        assert!(of(4, 0) > of(8, DAY_MS + 1_000));
    }

    #[test]
    fn what_has_no_value_is_ordered_by_urgency() {
        assert_eq!(weight(None, 1.0), 0);
        assert_eq!(weight(Some(Nanos(10)), 1.0), 0);
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(weight(Some(Nanos(i64::MAX)), odd) >= 0, "{odd}");
        }
        assert!(rank(0, NOON) > rank(0, NOON.plus_ms(HOUR_MS)));
        assert!(rank(0, Timestamp(i64::MIN)) > rank(0, Timestamp(i64::MAX)));
    }

    #[test]
    fn currencies_are_compared_in_dollars() {
        let yen = weight(Some(Nanos(150 * 1_000_000_000)), 150.0);
        assert_eq!(yen, weight(Some(Nanos(1_000_000_000)), 1.0));
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let person = |n| PersonId::from_uuid(Uuid::from_u128(n));
        let rule = |when: RuleWhen, n| QueueRule { when, assign_to: Some(person(n)), ..QueueRule::default() };
        let rules = [
            rule(RuleWhen { tool: Some("cancel".to_owned()), ..RuleWhen::default() }, 1),
            QueueRule {
                due_minutes: Some(30),
                ..rule(RuleWhen { class: Some("server".to_owned()), ..RuleWhen::default() }, 2)
            },
            rule(RuleWhen::default(), 3),
        ];
        assert_eq!(decide(&rules, &arriving(), NOON), (Some(person(2)), NOON.plus_ms(30 * 60_000)));
        assert_eq!(decide(&[], &arriving(), NOON), (None, NOON.plus_ms(2 * DAY_MS)));
        let escalation = Arriving { kind: Some(ExceptionKind::Escalation), class: "", ..arriving() };
        assert_eq!(decide(&rules, &escalation, NOON), (Some(person(3)), NOON.plus_ms(4 * HOUR_MS)));
    }

    #[test]
    fn every_part_of_a_rule_must_fit() {
        let other = Uuid::from_u128(99);
        let none = [
            RuleWhen { client: Some(ClientId::from_uuid(other)), ..RuleWhen::default() },
            RuleWhen { workflow: Some(WorkflowId::from_uuid(other)), ..RuleWhen::default() },
            RuleWhen { kind: Some(ExceptionKind::Flag), ..RuleWhen::default() },
            RuleWhen { class: Some("auth".to_owned()), ..RuleWhen::default() },
            RuleWhen { tool: Some("boo".to_owned()), ..RuleWhen::default() },
            RuleWhen { pattern: Some(PatternId::from_uuid(other)), ..RuleWhen::default() },
            RuleWhen { least_value_nanos: Some(Nanos(45_000_000_001)), ..RuleWhen::default() },
        ];
        for when in none {
            let rule = QueueRule { when, ..QueueRule::default() };
            assert!(!rule.fits(&arriving()), "{rule:?}");
        }
        let unset = Arriving { value: None, client: None, kind: None, pattern: None, ..arriving() };
        let least = RuleWhen { least_value_nanos: Some(Nanos(0)), ..RuleWhen::default() };
        assert!(!QueueRule { when: least, ..QueueRule::default() }.fits(&unset), "no value is not nothing");
        assert!(QueueRule::default().fits(&unset));
    }

    #[test]
    fn rules_that_say_nothing_or_too_much_are_refused() {
        let due = |due_minutes| QueueRule { due_minutes, ..QueueRule::default() };
        assert_eq!(due(None).checked(), Err(UnfitRule::DoesNothing));
        assert_eq!(due(Some(0)).checked(), Err(UnfitRule::NoDueTime));
        assert_eq!(due(Some(MAX_DUE_MINUTES + 1)).checked(), Err(UnfitRule::NoDueTime));
        assert!(due(Some(MAX_DUE_MINUTES)).checked().is_ok());
        let named = |name: &str| QueueRule { name: name.to_owned(), ..due(Some(1)) }.checked();
        assert!(named(&"x".repeat(MAX_WORD_CHARS + 1)).is_err());
        assert!(named("two\nlines").is_err());
        let least = RuleWhen { least_value_nanos: Some(Nanos(-1)), ..RuleWhen::default() };
        assert_eq!(QueueRule { when: least, ..due(Some(1)) }.checked(), Err(UnfitRule::NoValue));
    }
}
