//! What settings of a workflow must be, so that reading a run stays quick and a mistake is said in words.

use std::ops::RangeInclusive;

use steward_core::answer_schema::AnswerSchema;
use steward_core::expectations::Expectation;
use steward_core::money::Nanos;
use steward_core::rules::{Condition, ResultValue};
use steward_core::workflow::{ValueBasis, WorkflowSettings};

use crate::AppError;

/// The most rules of each kind.
const MAX_RULES: usize = 50;
/// The most conditions of a rule.
const MAX_CONDITIONS: usize = 10;
/// The most characters of a name.
const MAX_NAME_CHARS: usize = 120;
/// The most characters of a text to look for.
const MAX_TEXT_CHARS: usize = 500;
/// The most texts that an agent may not say.
const MAX_FORBIDDEN: usize = 100;
/// The most names of deciding scores.
const MAX_SCORES: usize = 20;
/// The most minutes that a baseline may have: a month.
const MAX_MINUTES: f64 = 43_200.0;

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;

/// Refuses settings that cannot be right, in words for the person.
pub(super) fn check_settings(settings: &WorkflowSettings) -> Result<(), AppError> {
    problem(settings).map_or(Ok(()), |words| Err(AppError::Invalid(words)))
}

fn problem(settings: &WorkflowSettings) -> Option<String> {
    let times = within("the quiet time", settings.quiet_ms, SECOND..=DAY, "1 second and 1 day")
        .or_else(|| within("the longest run", settings.max_age_ms, 60 * SECOND..=30 * DAY, "1 minute and 30 days"))
        .or_else(|| within("the time for late data", settings.settle_ms, 0..=7 * DAY, "0 and 7 days"));
    if times.is_some() {
        return times;
    }
    if settings.quiet_ms > settings.max_age_ms {
        return Some("the quiet time is longer than the longest run".to_owned());
    }
    if !settings.pass_at_least.is_finite() {
        return Some("the least score that passes is a number".to_owned());
    }
    if settings.deciding_scores.len() > MAX_SCORES {
        return Some(format!("at most {MAX_SCORES} scores decide"));
    }
    if let Some(minutes) = settings.baseline_minutes
        && !(0.0..=MAX_MINUTES).contains(&minutes)
    {
        return Some("the baseline is between 0 minutes and a month".to_owned());
    }
    if let Some(words) = settings.privacy.problem() {
        return Some(words);
    }
    let value = match &settings.value {
        ValueBasis::None | ValueBasis::Results => None,
        ValueBasis::PerCompletedRun { nanos } | ValueBasis::TimeSaved { nanos_per_hour: nanos } => negative(*nanos),
    };
    value
        .or_else(|| settings.deciding_scores.iter().find_map(|name| named("a deciding score", name, MAX_NAME_CHARS)))
        .or_else(|| outcome_rules(settings))
        .or_else(|| result_rules(settings))
        .or_else(|| expectations(settings))
}

fn expectations(settings: &WorkflowSettings) -> Option<String> {
    let all = &settings.expectations;
    if all.len() > MAX_RULES {
        return Some(format!("a workflow has at most {MAX_RULES} expectations"));
    }
    all.iter().enumerate().find_map(|(place, expectation)| {
        let again = all[..place].iter().any(|other| other.word() == expectation.word());
        let words = match expectation {
            // A run may be expected to call several tools; of limits the narrower alone would count.
            Expectation::CallsTool { tool } => named("the tool's name", tool, MAX_NAME_CHARS),
            _ if again => Some("there is one of this kind already".to_owned()),
            Expectation::NeverSays { texts } => match texts.len() {
                0 => Some("it names no text".to_owned()),
                1..=MAX_FORBIDDEN => texts.iter().find_map(|text| named("the text", text, MAX_TEXT_CHARS)),
                _ => Some(format!("it names more than {MAX_FORBIDDEN} texts")),
            },
            Expectation::AnswerFits { schema } => AnswerSchema::new(schema.as_json().clone()).err(),
            Expectation::CostsAtMost { nanos } => {
                (nanos.0 <= 0).then(|| "the most that a run costs is above 0".to_owned())
            }
            Expectation::EndsWithin { ms } => {
                within("the longest that a run takes", *ms, 1..=30 * DAY, "1 millisecond and 30 days")
            }
            Expectation::StepsAtMost { steps } => (*steps == 0).then(|| "a run has at least 1 step".to_owned()),
            Expectation::NeverLoops { times } => {
                (!(2..=1_000).contains(times)).then(|| "a loop is 2 to 1,000 calls".to_owned())
            }
            Expectation::SaysSomething | Expectation::NeverRepeats => None,
        };
        Some(format!("expectation {}: {}", place + 1, words?))
    })
}

fn outcome_rules(settings: &WorkflowSettings) -> Option<String> {
    if settings.outcome_rules.len() > MAX_RULES {
        return Some(format!("a workflow has at most {MAX_RULES} rules for outcomes"));
    }
    settings.outcome_rules.iter().enumerate().find_map(|(place, rule)| {
        let words = conditions(&rule.when)?;
        Some(format!("outcome rule {}: {words}", place + 1))
    })
}

fn result_rules(settings: &WorkflowSettings) -> Option<String> {
    if settings.result_rules.len() > MAX_RULES {
        return Some(format!("a workflow has at most {MAX_RULES} rules for results"));
    }
    settings.result_rules.iter().enumerate().find_map(|(place, rule)| {
        let value = || match &rule.value {
            ResultValue::None => None,
            ResultValue::Fixed { nanos } => negative(*nanos),
            ResultValue::Attribute { key } => named("the attribute of its value", key, MAX_TEXT_CHARS),
            ResultValue::Json { path } => named("the path to its value", path, MAX_TEXT_CHARS),
        };
        let name = named("its name", &rule.name, MAX_NAME_CHARS);
        let words = name.or_else(|| conditions(&rule.when)).or_else(value)?;
        Some(format!("result rule {}: {words}", place + 1))
    })
}

fn conditions(when: &[Condition]) -> Option<String> {
    match when.len() {
        0 => Some("it has no condition, so it never holds".to_owned()),
        1..=MAX_CONDITIONS => when.iter().find_map(condition),
        _ => Some(format!("it has more than {MAX_CONDITIONS} conditions")),
    }
}

fn condition(condition: &Condition) -> Option<String> {
    match condition {
        Condition::ToolCalled { tool } | Condition::ToolSucceeded { tool } | Condition::ToolFailed { tool } => {
            named("the tool's name", tool, MAX_NAME_CHARS)
        }
        Condition::StepNamed { name } => named("the step's name", name, MAX_NAME_CHARS),
        Condition::FinalTextContains { text } | Condition::UserSaid { text } => {
            named("the text to look for", text, MAX_TEXT_CHARS)
        }
        Condition::AttributeIs { key, value } => named("the attribute's key", key, MAX_TEXT_CHARS)
            .or_else(|| named("the attribute's value", value, MAX_TEXT_CHARS)),
        Condition::FinishReason { reason } => named("the reason", reason, MAX_NAME_CHARS),
        Condition::ScoreAtLeast { name, value } | Condition::ScoreBelow { name, value } => {
            let number = || (!value.is_finite()).then(|| "the score to compare with is a number".to_owned());
            named("the score's name", name, MAX_NAME_CHARS).or_else(number)
        }
        Condition::AnyError | Condition::EndedClean => None,
    }
}

fn within(what: &str, ms: i64, range: RangeInclusive<i64>, words: &str) -> Option<String> {
    (!range.contains(&ms)).then(|| format!("{what} is between {words}"))
}

fn negative(nanos: Nanos) -> Option<String> {
    (nanos.0 < 0).then(|| "a value cannot be below 0".to_owned())
}

fn named(what: &str, text: &str, most: usize) -> Option<String> {
    if text.trim().is_empty() {
        return Some(format!("{what} is missing"));
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Some(format!("{what} has characters that cannot be shown"));
    }
    (text.chars().count() > most).then(|| format!("{what} has more than {most} characters"))
}

#[cfg(test)]
mod tests {
    use steward_core::outcome::Outcome;
    use steward_core::rules::{OutcomeRule, ResultRule};

    use super::*;

    fn rule(when: Vec<Condition>) -> OutcomeRule {
        OutcomeRule { outcome: Outcome::Completed, when }
    }

    fn with(change: impl FnOnce(&mut WorkflowSettings)) -> Option<String> {
        let mut settings = WorkflowSettings::default();
        change(&mut settings);
        problem(&settings)
    }

    fn expecting(expectations: Vec<Expectation>) -> Option<String> {
        with(|settings| settings.expectations = expectations)
    }

    #[test]
    fn the_settings_that_everybody_begins_with_are_right() {
        assert_eq!(with(|_| {}), None);
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let called = |tool: &str| Condition::ToolCalled { tool: tool.to_owned() };
        let result =
            ResultRule { name: " ".to_owned(), when: vec![Condition::AnyError], each: false, value: ResultValue::None };
        for (words, found) in [
            ("quiet time", with(|s| s.quiet_ms = 0)),
            ("quiet time is longer", with(|s| (s.quiet_ms, s.max_age_ms) = (DAY, 60 * SECOND))),
            ("longest run", with(|s| s.max_age_ms = i64::MAX)),
            ("late data", with(|s| s.settle_ms = -1)),
            ("score that passes", with(|s| s.pass_at_least = f64::NAN)),
            ("baseline", with(|s| s.baseline_minutes = Some(-1.0))),
            ("baseline", with(|s| s.baseline_minutes = Some(f64::NAN))),
            ("below 0", with(|s| s.value = ValueBasis::PerCompletedRun { nanos: Nanos(-1) })),
            ("outcome rule 1: it has no condition", with(|s| s.outcome_rules = vec![rule(Vec::new())])),
            (
                "outcome rule 2: the tool's name",
                with(|s| s.outcome_rules = vec![rule(vec![called("a")]), rule(vec![called("")])]),
            ),
            ("more than 10 conditions", with(|s| s.outcome_rules = vec![rule(vec![called("a"); 11])])),
            ("at most 50 rules", with(|s| s.outcome_rules = vec![rule(vec![called("a")]); 51])),
            ("result rule 1: its name", with(|s| s.result_rules = vec![result])),
            ("expectation 1: a run has at least", expecting(vec![Expectation::StepsAtMost { steps: 0 }])),
            ("expectation 1: it names no text", expecting(vec![Expectation::NeverSays { texts: Vec::new() }])),
            (
                "expectation 1: the text is missing",
                expecting(vec![Expectation::NeverSays { texts: vec![" ".to_owned()] }]),
            ),
            ("expectation 1: a loop", expecting(vec![Expectation::NeverLoops { times: 1 }])),
            ("expectation 1: the longest", expecting(vec![Expectation::EndsWithin { ms: 0 }])),
            ("expectation 1: the most", expecting(vec![Expectation::CostsAtMost { nanos: Nanos(0) }])),
            ("expectation 2: there is one", expecting(vec![Expectation::SaysSomething; 2])),
            ("at most 50 expectations", expecting(vec![Expectation::CallsTool { tool: "a".to_owned() }; 51])),
            ("expectation 1: the schema cannot be used", {
                let schema = serde_json::from_value(serde_json::json!({"type": 7})).expect("any JSON is taken");
                expecting(vec![Expectation::AnswerFits { schema }])
            }),
        ] {
            assert!(found.as_deref().is_some_and(|found| found.contains(words)), "{words}: {found:?}");
        }
    }
}
