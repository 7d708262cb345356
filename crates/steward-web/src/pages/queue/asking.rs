//! What is asked in a review, of one case or of many: the questions with their keys, and how the answers are read.

use steward_core::outcome::Outcome;
use steward_core::reviews::{ActiveCorrection, AgentWas, Cause, Judgement, PreventedBy};

use crate::session::Fields;
use crate::view::components::form::{Choice, Field};
use crate::view::html::Csrf;
use crate::view::pages::review::{Asking, Keyed, Pick};

use super::words;

/// The keys of causes; none of them moves in a list, goes to a room or takes something back.
const CAUSE_KEYS: [(Cause, &str); 8] = [
    (Cause::BusinessRule, "b"),
    (Cause::Prompt, "p"),
    (Cause::Routing, "r"),
    (Cause::Tool, "t"),
    (Cause::Data, "d"),
    (Cause::Model, "m"),
    (Cause::User, "a"),
    (Cause::Platform, "f"),
];
/// The first key of what prevents; the first two say whether the agent was right.
const FIRST_PREVENTED_KEY: usize = 3;

/// The answers that a form carries. Nothing is said where a field is empty.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// What is said of the case.
    pub judgement: Judgement,
    /// The time that it took, where that is said.
    pub correction: Option<ActiveCorrection>,
}

/// Reads the answers of a form.
///
/// # Errors
///
/// Words for the person about what cannot be read.
pub(super) fn read(form: &Fields) -> Result<Answers, String> {
    fn word<T>(form: &Fields, name: &str, what: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        match form.text(name) {
            "" => Ok(None),
            text => parse(text).map(Some).ok_or_else(|| format!("{what} is not one of the known ones.")),
        }
    }
    let minutes = |name: &str, what: &str| match form.text(name).replace(',', ".") {
        text if text.is_empty() => Ok(None),
        text => match text.parse::<f64>().ok().filter(|minutes| (0.0..=1e6).contains(minutes)) {
            Some(minutes) => Ok(Some(minutes)),
            None => Err(format!("{what} is a number of minutes.")),
        },
    };
    let judgement = Judgement {
        agent: word(form, "agent", "What the agent was", AgentWas::parse)?,
        outcome: word(form, "outcome", "What came of the run", Outcome::parse)?,
        cause: word(form, "cause", "The cause", Cause::parse)?,
        preventable: word(form, "preventable", "Whether it was preventable", |text| match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })?,
        // What was chosen before it was called not preventable is hidden, and means nothing.
        prevented_by: if form.text("preventable") == "yes" {
            word(form, "prevented_by", "What would have prevented it", PreventedBy::parse)?
        } else {
            None
        },
        cleanup_minutes: minutes("cleanup", "Cleanup")?.map_or(0, |minutes| minutes.round() as u32),
        resolution: form.text("resolution").to_owned(),
        comment: form.text("comment").to_owned(),
    };
    let correction = minutes("active_minutes", "The time that it took")?.map(|minutes| ActiveCorrection {
        active_ms: (minutes * 60_000.0).round() as i64,
        note: form.text("active_note").to_owned(),
    });
    Ok(Answers { judgement, correction })
}

/// A judgement as the fields of its form.
pub(super) fn fields_of(judgement: &Judgement) -> Fields {
    let mut fields = Vec::new();
    let mut put = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    put("agent", judgement.agent.map_or("", AgentWas::as_str));
    put("outcome", judgement.outcome.map_or("", Outcome::as_str));
    put("cause", judgement.cause.map_or("", Cause::as_str));
    put("preventable", judgement.preventable.map_or("", |yes| if yes { "yes" } else { "no" }));
    put("prevented_by", judgement.prevented_by.map_or("", PreventedBy::as_str));
    if judgement.cleanup_minutes > 0 {
        put("cleanup", &judgement.cleanup_minutes.to_string());
    }
    put("resolution", &judgement.resolution);
    put("comment", &judgement.comment);
    Fields(fields)
}

/// The questions, filled with what a form said, and where it is posted to.
pub(super) fn asking(action: String, csrf: Csrf, button: &str, stands: Option<Outcome>, filled: &Fields) -> Asking {
    let pick = |name: &str, legend: &str, all: Vec<(&str, String, String)>| Pick {
        name: name.to_owned(),
        legend: legend.to_owned(),
        choices: all
            .into_iter()
            .map(|(value, label, key)| {
                let chosen = filled.text(name) == value;
                (Choice { value: value.to_owned(), label, chosen }, key)
            })
            .collect(),
        ..Pick::default()
    };
    let agent = AgentWas::ALL.iter().enumerate();
    let agent = agent.map(|(i, was)| (was.as_str(), words::agent_label(*was).to_owned(), (i + 1).to_string()));
    let causes = CAUSE_KEYS.iter();
    let causes = causes.map(|(cause, key)| (cause.as_str(), words::cause_label(*cause).to_owned(), (*key).to_owned()));
    let prevented = PreventedBy::ALL
        .iter()
        .enumerate()
        .map(|(i, by)| (by.as_str(), words::prevented_label(*by).to_owned(), (i + FIRST_PREVENTED_KEY).to_string()));
    let outcomes = [Outcome::Completed, Outcome::Escalated, Outcome::Failed, Outcome::Abandoned]
        .into_iter()
        .enumerate()
        .map(|(i, outcome)| {
            let key = if i == 0 { "o".to_owned() } else { String::new() };
            (outcome.as_str(), outcome.as_str().to_owned(), key)
        });
    let plain = |name: &str, label: &str| Field::lines(name, label, filled.text(name), 2);
    Asking {
        action,
        csrf,
        hidden: Vec::new(),
        error: String::new(),
        picks: vec![
            pick("agent", "The agent was", agent.collect()),
            pick("cause", "Because of", causes.collect()),
            pick(
                "preventable",
                "Could it have been prevented?",
                vec![("yes", "Yes".to_owned(), "y".to_owned()), ("no", "No".to_owned(), "n".to_owned())],
            ),
            Pick {
                only_with: ("preventable".to_owned(), "yes".to_owned()),
                ..pick("prevented_by", "By what?", prevented.collect())
            },
            Pick {
                note: stands.map_or_else(
                    || "only if something else than is known".to_owned(),
                    |outcome| format!("only if not {}", outcome.as_str()),
                ),
                ..pick("outcome", "What came of the run", outcomes.collect())
            },
        ],
        fields: vec![
            Keyed { key: "w".to_owned(), field: plain("resolution", "What was done about it") },
            Keyed {
                key: "l".to_owned(),
                field: Field::number("cleanup", "Cleanup beside this review", filled.text("cleanup"))
                    .with_unit("minutes")
                    .optional(),
            },
            Keyed { key: "i".to_owned(), field: plain("comment", "Comment") },
        ],
        button: button.to_owned(),
        cancel: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Fields {
        Fields(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn every_answer_survives_its_form() {
        let judgement = Judgement {
            agent: Some(AgentWas::Wrong),
            outcome: Some(Outcome::Completed),
            cause: Some(Cause::Platform),
            preventable: Some(true),
            prevented_by: Some(PreventedBy::Knowledge),
            cleanup_minutes: 12,
            resolution: "Called back".to_owned(),
            comment: "twice".to_owned(),
        };
        assert_eq!(read(&fields_of(&judgement)).expect("read").judgement, judgement);
        assert_eq!(read(&form(&[])).expect("read").judgement, Judgement::default());
    }

    #[test]
    fn what_cannot_be_read_is_said_by_name() {
        for (name, value, said) in [
            ("cause", "weather", "The cause"),
            ("outcome", "fine", "What came of the run"),
            ("preventable", "maybe", "preventable"),
            ("cleanup", "many", "Cleanup"),
            ("cleanup", "-1", "Cleanup"),
            ("cleanup", "NaN", "Cleanup"),
            ("active_minutes", "1e99", "The time"),
        ] {
            let words = read(&form(&[(name, value)])).expect_err(name);
            assert!(words.contains(said), "{words}");
        }
    }

    #[test]
    fn what_is_hidden_says_nothing() {
        let answers = read(&form(&[("preventable", "no"), ("prevented_by", "rule")])).expect("read");
        assert_eq!(answers.judgement.prevented_by, None);
    }

    #[test]
    fn no_key_is_used_twice_or_means_something_else() {
        let asking = asking(String::new(), Csrf::default(), "", None, &form(&[]));
        let mut keys: Vec<String> =
            asking.picks.iter().flat_map(|pick| pick.choices.iter().map(|(_, key)| key.clone())).collect();
        keys.extend(asking.fields.iter().map(|keyed| keyed.key.clone()));
        keys.retain(|key| !key.is_empty());
        keys.extend(["j", "k", "x", "g", "c", "u", "s", "/", "?"].map(str::to_owned));
        let n = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), n, "{keys:?}");
    }
}
