//! Rules over the steps of a run: what makes it completed, escalated, failed or abandoned, and what it brought about.
//!
//! A rule is data: people edit it on a page, see at once what it would have said of past runs, and only then save it.

use serde::{Deserialize, Serialize};

use crate::money::Nanos;
use crate::outcome::Outcome;
use crate::step::{Role, Step, StepKind, StepStatus};

/// One condition on the steps of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "test", rename_all = "snake_case")]
pub enum Condition {
    /// A tool was called, whatever came of it.
    ToolCalled {
        /// The tool's name, or a beginning of it and `*`.
        tool: String,
    },
    /// A tool was called at least once without an error.
    ToolSucceeded {
        /// The tool's name, or a beginning of it and `*`.
        tool: String,
    },
    /// A tool was called, and every call of it went wrong.
    ToolFailed {
        /// The tool's name, or a beginning of it and `*`.
        tool: String,
    },
    /// A step of this name happened.
    StepNamed {
        /// The step's name, or a beginning of it and `*`.
        name: String,
    },
    /// The last thing that the agent said contains a text, in any case.
    FinalTextContains {
        /// The text.
        text: String,
    },
    /// Anything that the other side said contains a text, in any case.
    UserSaid {
        /// The text.
        text: String,
    },
    /// An attribute of any step has a value.
    AttributeIs {
        /// The attribute's key.
        key: String,
        /// Its value as text; `*` is any value.
        value: String,
    },
    /// The last model call stopped for this reason.
    FinishReason {
        /// `length`, `content_filter`, `stop`.
        reason: String,
    },
    /// A score is at least so high.
    ScoreAtLeast {
        /// The score's name.
        name: String,
        /// The least value that passes.
        value: f64,
    },
    /// A score is below a value.
    ScoreBelow {
        /// The score's name.
        name: String,
        /// The first value that does not count.
        value: f64,
    },
    /// Some step ended with an error.
    AnyError,
    /// The run ended without an error in its outermost step.
    EndedClean,
}

impl Condition {
    /// The condition in words, for pages and as evidence.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::ToolCalled { tool } => format!("tool {tool} was called"),
            Self::ToolSucceeded { tool } => format!("tool {tool} succeeded"),
            Self::ToolFailed { tool } => format!("every call of tool {tool} failed"),
            Self::StepNamed { name } => format!("step {name} happened"),
            Self::FinalTextContains { text } => format!("the last answer contains “{text}”"),
            Self::UserSaid { text } => format!("the other side said “{text}”"),
            Self::AttributeIs { key, value } => format!("{key} is {value}"),
            Self::FinishReason { reason } => format!("the last model call stopped for {reason}"),
            Self::ScoreAtLeast { name, value } => format!("score {name} is at least {value}"),
            Self::ScoreBelow { name, value } => format!("score {name} is below {value}"),
            Self::AnyError => "a step ended with an error".to_owned(),
            Self::EndedClean => "it ended without an error".to_owned(),
        }
    }

    /// The steps that make the condition true; empty when it is false.
    ///
    /// For conditions of the whole run it is the one step that decides.
    #[must_use]
    pub fn matches<'a>(&self, steps: &'a [Step]) -> Vec<&'a Step> {
        match self {
            Self::ToolCalled { tool } => tools(steps, tool).collect(),
            Self::ToolSucceeded { tool } => tools(steps, tool).filter(|s| s.error.is_none()).collect(),
            Self::ToolFailed { tool } => {
                let calls: Vec<_> = tools(steps, tool).collect();
                if calls.iter().all(|s| s.error.is_some()) { calls } else { Vec::new() }
            }
            Self::StepNamed { name } => steps.iter().filter(|s| fits(name, &s.name)).collect(),
            Self::FinalTextContains { text } => {
                last_model(steps).into_iter().filter(|s| contains(s.output_text(), text)).collect()
            }
            Self::UserSaid { text } => steps
                .iter()
                .find(|s| s.input.iter().any(|m| m.role == Role::User && contains(&m.text, text)))
                .into_iter()
                .collect(),
            Self::AttributeIs { key, value } => {
                steps.iter().filter(|s| s.attributes.get(key).is_some_and(|v| value == "*" || v == value)).collect()
            }
            Self::FinishReason { reason } => {
                last_model(steps).into_iter().filter(|s| s.finish_reason.as_deref() == Some(reason)).collect()
            }
            Self::ScoreAtLeast { name, value } => scored(steps, name, |v| v >= *value),
            Self::ScoreBelow { name, value } => scored(steps, name, |v| v < *value),
            Self::AnyError => steps.iter().filter(|s| s.error.is_some()).collect(),
            Self::EndedClean => steps
                .iter()
                .filter(|s| s.parent_span_id.is_none() && s.status != StepStatus::Error && s.error.is_none())
                .collect(),
        }
    }
}

fn tools<'a>(steps: &'a [Step], tool: &str) -> impl Iterator<Item = &'a Step> {
    steps.iter().filter(move |s| s.kind == StepKind::Tool && s.tool.as_deref().is_some_and(|name| fits(tool, name)))
}

fn scored<'a>(steps: &'a [Step], name: &str, test: impl Fn(f64) -> bool) -> Vec<&'a Step> {
    let passes = |s: &&Step| s.scores.iter().any(|score| score.name == name && score.value.is_some_and(&test));
    steps.iter().filter(passes).collect()
}

fn last_model(steps: &[Step]) -> Option<&Step> {
    steps.iter().filter(|s| s.kind == StepKind::Model).max_by_key(|s| (s.ended_at, s.started_at))
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Whether a name fits a pattern: the same, or the beginning before a final `*`.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

/// All conditions hold → the outcome. Rules are tried in order; the first that holds decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeRule {
    /// The outcome.
    pub outcome: Outcome,
    /// The conditions; all must hold. None at all never holds.
    pub when: Vec<Condition>,
}

impl OutcomeRule {
    /// The deciding step and the evidence in words, when the rule holds.
    #[must_use]
    pub fn decide<'a>(&self, steps: &'a [Step]) -> Option<(Option<&'a Step>, String)> {
        let mut decisive = None;
        for condition in &self.when {
            let matched = condition.matches(steps);
            decisive = Some(*matched.last()?);
        }
        decisive?;
        Some((decisive, words_of(&self.when)))
    }

    /// The rule in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} when {}", self.outcome.as_str(), words_of(&self.when))
    }
}

/// Where a result's value comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum ResultValue {
    /// It has none of its own.
    #[default]
    None,
    /// A value agreed with the client, in nano-units of the client's currency.
    Fixed {
        /// The value.
        nanos: Nanos,
    },
    /// A number in an attribute of the deciding step.
    Attribute {
        /// The attribute's key.
        key: String,
    },
    /// A number in the deciding tool call's JSON, by a path such as `total.amount`; the answer first, then the arguments.
    Json {
        /// The path, names separated by points.
        path: String,
    },
}

/// All conditions hold → the run brought about a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRule {
    /// What the business calls it: `bookings made`.
    pub name: String,
    /// The conditions; all must hold.
    pub when: Vec<Condition>,
    /// Count each step that the last condition matches, rather than once a run.
    #[serde(default)]
    pub each: bool,
    /// Its value.
    #[serde(default)]
    pub value: ResultValue,
}

impl ResultRule {
    /// The steps at which the result came about, with their values; empty when the rule does not hold.
    #[must_use]
    pub fn results<'a>(&self, steps: &'a [Step]) -> Vec<(&'a Step, Option<Nanos>)> {
        let mut matched = Vec::new();
        for condition in &self.when {
            matched = condition.matches(steps);
            if matched.is_empty() {
                return Vec::new();
            }
        }
        if !self.each {
            matched.truncate(1);
        }
        matched.into_iter().map(|step| (step, self.value.of(step))).collect()
    }

    /// The rule in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} when {}", self.name, words_of(&self.when))
    }
}

impl ResultValue {
    fn of(&self, step: &Step) -> Option<Nanos> {
        match self {
            Self::None => None,
            Self::Fixed { nanos } => Some(*nanos),
            Self::Attribute { key } => step.attributes.get(key)?.parse::<f64>().ok().and_then(Nanos::from_units),
            Self::Json { path } => step
                .output
                .iter()
                .chain(&step.input)
                .find_map(|message| number_at(&message.text, path).and_then(Nanos::from_units)),
        }
    }
}

fn number_at(json: &str, path: &str) -> Option<f64> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let found = path.split('.').try_fold(&value, |at, name| match at {
        serde_json::Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })?;
    found.as_f64().or_else(|| found.as_str()?.parse().ok())
}

fn words_of(conditions: &[Condition]) -> String {
    conditions.iter().map(Condition::in_words).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{ErrorClass, Message, StepError};

    fn tool(name: &str, failed: bool) -> Step {
        Step {
            kind: StepKind::Tool,
            span_id: format!("{name}{failed}"),
            tool: Some(name.to_owned()),
            error: failed.then(|| StepError { class: ErrorClass::Other, code: None, message: "no".to_owned() }),
            output: vec![Message {
                role: Role::Tool,
                text: r#"{"booking":{"total":"12.50"}}"#.to_owned(),
                tool_calls: Vec::new(),
                tool_call_id: None,
                name: None,
            }],
            ..Step::default()
        }
    }

    #[test]
    fn a_tool_that_failed_once_and_then_worked_succeeded() {
        let steps = [tool("book", true), tool("book", false)];
        let rule = |when| OutcomeRule { outcome: Outcome::Completed, when };
        assert!(rule(vec![Condition::ToolSucceeded { tool: "book".to_owned() }]).decide(&steps).is_some());
        assert!(rule(vec![Condition::ToolFailed { tool: "book".to_owned() }]).decide(&steps).is_none());
        assert!(
            rule(vec![Condition::ToolSucceeded { tool: "bo*".to_owned() }, Condition::AnyError])
                .decide(&steps)
                .is_some()
        );
        assert!(rule(Vec::new()).decide(&steps).is_none(), "a rule without conditions says nothing");
    }

    #[test]
    fn a_result_takes_its_value_from_the_answer() {
        let rule = ResultRule {
            name: "bookings".to_owned(),
            when: vec![Condition::ToolSucceeded { tool: "book".to_owned() }],
            each: true,
            value: ResultValue::Json { path: "booking.total".to_owned() },
        };
        let steps = [tool("book", true), tool("book", false)];
        let values: Vec<_> = rule.results(&steps).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [Some(Nanos(12_500_000_000))]);
    }
}
