//! The rules of a workflow as rows of a form: what each condition needs, adding and removing rows without a
//! script, and what the rules would have said of past runs before they are saved.
//!
//! The form posts flat names: `o.0.outcome`, `o.0.c.1.test`, `o.0.c.1.a`, `o.0.c.1.b` for outcome rules;
//! `r.0.name`, `r.0.each`, `r.0.value`, `r.0.amount`, `r.0.c.…` for results; and `do` says which button was pressed.

use std::collections::BTreeMap;

use askama::Template;
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::rules::{Condition, OutcomeRule, ResultRule, ResultValue};

use crate::view::components::badge::Badge;
use crate::view::components::empty::Empty;
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::tabs::Tabs;
use crate::view::html::Csrf;
use crate::view::samples::{Samples, Words, ago, csrf};

/// The most rules and the most conditions of a rule that the form takes.
const MAX_ROWS: usize = 40;

/// The rules of a workflow.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/rules.html")]
pub struct RulesPage {
    /// Figures, runs, rules, settings.
    pub tabs: Tabs,
    /// Where the form posts to.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// The rows.
    pub rules: RulesForm,
    /// What is wrong with all of it; empty when nothing is.
    pub error: String,
    /// The version of the settings that was edited, so that a colleague's change is not overwritten.
    pub version: i32,
    /// The currency of values: "EUR".
    pub currency: String,
    /// Names of tools that were seen, offered while typing.
    pub known_tools: Vec<String>,
    /// What these rules would have said.
    pub preview: Option<RulesPreview>,
}

/// What rules would have said of past runs.
#[derive(Debug, Clone, Default)]
pub struct RulesPreview {
    /// In words: "Of the last 500 finished runs, 61 would have another outcome."
    pub words: String,
    /// How many runs move: before, after, how many, share.
    pub moves: Table,
    /// Results: name, before, after.
    pub results: Table,
    /// Some runs that move: run, before, after, by which rule.
    pub examples: Table,
}

/// The rows of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RulesForm {
    /// What makes a run completed, escalated, failed or abandoned; the first that holds decides.
    pub outcomes: Vec<OutcomeRow>,
    /// What the business counts.
    pub results: Vec<ResultRow>,
}

/// A rule of outcome, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeRow {
    /// The outcome's word.
    pub outcome: String,
    /// The conditions.
    pub when: Vec<ConditionRow>,
    /// What it does to past runs: "decides 212 of the last 500". Empty when not looked at.
    pub effect: String,
}

/// A rule of a result, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultRow {
    /// What the business calls it.
    pub name: String,
    /// The conditions.
    pub when: Vec<ConditionRow>,
    /// Count each matching step rather than once a run.
    pub each: bool,
    /// Where the value comes from: `none`, `fixed`, `attribute`, `json`.
    pub value: String,
    /// The amount, the attribute's key or the path.
    pub amount: String,
    /// What is wrong with the name or the value; empty when nothing is.
    pub error: String,
    /// What it does to past runs.
    pub effect: String,
}

/// A condition, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConditionRow {
    /// The kind's word.
    pub test: String,
    /// The first field.
    pub first: String,
    /// The second field.
    pub second: String,
    /// What is wrong with it; empty when nothing is.
    pub error: String,
}

/// A kind of condition: its word, how it reads, and its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionKind {
    /// The word that is stored and sent.
    pub test: &'static str,
    /// How it reads: "tool succeeded".
    pub label: &'static str,
    /// What stands in its empty fields; as many as it has fields.
    pub fields: &'static [&'static str],
}

/// Every kind of condition.
pub const CONDITION_KINDS: [ConditionKind; 12] = [
    ConditionKind { test: "tool_succeeded", label: "tool succeeded", fields: &["book_appointment, or book_*"] },
    ConditionKind { test: "tool_called", label: "tool was called", fields: &["transfer_to_human"] },
    ConditionKind { test: "tool_failed", label: "every call of tool failed", fields: &["check_insurance"] },
    ConditionKind { test: "step_named", label: "step happened", fields: &["handoff, or hand*"] },
    ConditionKind { test: "final_text_contains", label: "last answer contains", fields: &["confirmation number"] },
    ConditionKind { test: "user_said", label: "other side said", fields: &["speak to a person"] },
    ConditionKind { test: "attribute_is", label: "attribute is", fields: &["call.disposition", "booked, or *"] },
    ConditionKind { test: "finish_reason", label: "last model call stopped for", fields: &["length"] },
    ConditionKind { test: "score_at_least", label: "score is at least", fields: &["task_success", "0.8"] },
    ConditionKind { test: "score_below", label: "score is below", fields: &["task_success", "0.5"] },
    ConditionKind { test: "any_error", label: "some step ended with an error", fields: &[] },
    ConditionKind { test: "ended_clean", label: "it ended without an error", fields: &[] },
];

/// Where a result's value may come from: the word, how it reads, and what stands in the empty field.
pub const VALUE_KINDS: [(&str, &str, &str); 4] = [
    ("none", "no value of its own", ""),
    ("fixed", "an agreed value of", "12.00"),
    ("attribute", "the number in attribute", "order.total"),
    ("json", "the number in the call's JSON at", "booking.total"),
];

/// Which button was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesDo {
    /// Keep them.
    Save,
    /// Show what they would have said.
    Preview,
    /// A row was added, moved or removed, or its kind changed: show the form again.
    Edit,
}

impl ConditionRow {
    /// The row of a condition.
    #[must_use]
    pub fn of(condition: &Condition) -> Self {
        let row = |test: &str, first: &str, second: String| Self {
            test: test.to_owned(),
            first: first.to_owned(),
            second,
            error: String::new(),
        };
        match condition {
            Condition::ToolCalled { tool } => row("tool_called", tool, String::new()),
            Condition::ToolSucceeded { tool } => row("tool_succeeded", tool, String::new()),
            Condition::ToolFailed { tool } => row("tool_failed", tool, String::new()),
            Condition::StepNamed { name } => row("step_named", name, String::new()),
            Condition::FinalTextContains { text } => row("final_text_contains", text, String::new()),
            Condition::UserSaid { text } => row("user_said", text, String::new()),
            Condition::AttributeIs { key, value } => row("attribute_is", key, value.clone()),
            Condition::FinishReason { reason } => row("finish_reason", reason, String::new()),
            Condition::ScoreAtLeast { name, value } => row("score_at_least", name, value.to_string()),
            Condition::ScoreBelow { name, value } => row("score_below", name, value.to_string()),
            Condition::AnyError => row("any_error", "", String::new()),
            Condition::EndedClean => row("ended_clean", "", String::new()),
        }
    }

    /// The condition of the row.
    ///
    /// # Errors
    ///
    /// Says what is missing or wrong, in words for the person who typed it.
    pub fn read(&self) -> Result<Condition, String> {
        let kind =
            CONDITION_KINDS.iter().find(|kind| kind.test == self.test).ok_or("Choose what is to be looked at.")?;
        let (first, second) = (self.first.trim().to_owned(), self.second.trim().to_owned());
        if !kind.fields.is_empty() && first.is_empty() {
            return Err("Say which one; it may not stay empty.".to_owned());
        }
        if kind.fields.len() > 1 && second.is_empty() {
            return Err("Say which value; it may not stay empty.".to_owned());
        }
        let number = || {
            let value = second.replace(',', ".").parse::<f64>().ok().filter(|value| value.is_finite());
            value.ok_or_else(|| format!("“{second}” is not a number."))
        };
        Ok(match kind.test {
            "tool_called" => Condition::ToolCalled { tool: first },
            "tool_succeeded" => Condition::ToolSucceeded { tool: first },
            "tool_failed" => Condition::ToolFailed { tool: first },
            "step_named" => Condition::StepNamed { name: first },
            "final_text_contains" => Condition::FinalTextContains { text: first },
            "user_said" => Condition::UserSaid { text: first },
            "attribute_is" => Condition::AttributeIs { key: first, value: second },
            "finish_reason" => Condition::FinishReason { reason: first },
            "score_at_least" => Condition::ScoreAtLeast { name: first, value: number()? },
            "score_below" => Condition::ScoreBelow { name: first, value: number()? },
            "any_error" => Condition::AnyError,
            _ => Condition::EndedClean,
        })
    }

    fn placeholder(&self, field: usize) -> &'static str {
        let kind = CONDITION_KINDS.iter().find(|kind| kind.test == self.test);
        kind.and_then(|kind| kind.fields.get(field)).copied().unwrap_or_default()
    }

    fn begin() -> Self {
        Self { test: "tool_succeeded".to_owned(), ..Self::default() }
    }
}

impl ResultRow {
    fn value_placeholder(&self) -> &'static str {
        VALUE_KINDS.iter().find(|kind| kind.0 == self.value).map_or("", |kind| kind.2)
    }
}

impl RulesForm {
    /// The rows of a workflow's rules.
    #[must_use]
    pub fn of(outcomes: &[OutcomeRule], results: &[ResultRule]) -> Self {
        let rows = |when: &[Condition]| when.iter().map(ConditionRow::of).collect();
        let outcome = |rule: &OutcomeRule| OutcomeRow {
            outcome: rule.outcome.as_str().to_owned(),
            when: rows(&rule.when),
            effect: String::new(),
        };
        let result = |rule: &ResultRule| {
            let (value, amount) = match &rule.value {
                ResultValue::None => ("none", String::new()),
                ResultValue::Fixed { nanos } => ("fixed", nanos.units().to_string()),
                ResultValue::Attribute { key } => ("attribute", key.clone()),
                ResultValue::Json { path } => ("json", path.clone()),
            };
            ResultRow {
                name: rule.name.clone(),
                when: rows(&rule.when),
                each: rule.each,
                value: value.to_owned(),
                amount,
                ..ResultRow::default()
            }
        };
        Self { outcomes: outcomes.iter().map(outcome).collect(), results: results.iter().map(result).collect() }
    }

    /// Reads a posted form, does what its button says to the rows, and says which button it was.
    #[must_use]
    pub fn posted(pairs: &[(String, String)]) -> (Self, RulesDo) {
        let mut form = Self::typed(pairs);
        let pressed = pairs.iter().rev().find(|(name, _)| name == "do").map_or("", |(_, value)| value.as_str());
        let done = match pressed {
            "save" => RulesDo::Save,
            "preview" => RulesDo::Preview,
            edit => {
                form.edit(edit);
                RulesDo::Edit
            }
        };
        (form, done)
    }

    fn typed(pairs: &[(String, String)]) -> Self {
        let mut outcomes: BTreeMap<usize, (OutcomeRow, BTreeMap<usize, ConditionRow>)> = BTreeMap::new();
        let mut results: BTreeMap<usize, (ResultRow, BTreeMap<usize, ConditionRow>)> = BTreeMap::new();
        for (name, value) in pairs {
            let parts: Vec<&str> = name.split('.').collect();
            let index = |text: &str| text.parse::<usize>().ok().filter(|i| *i < MAX_ROWS);
            let Some(i) = parts.get(1).and_then(|text| index(text)) else { continue };
            let value = value.clone();
            match (parts[0], &parts[2..]) {
                ("o", ["outcome"]) => outcomes.entry(i).or_default().0.outcome = value,
                ("o", ["c", j, field]) => {
                    let Some(j) = index(j) else { continue };
                    set(outcomes.entry(i).or_default().1.entry(j).or_default(), field, value);
                }
                ("r", ["c", j, field]) => {
                    let Some(j) = index(j) else { continue };
                    set(results.entry(i).or_default().1.entry(j).or_default(), field, value);
                }
                ("r", [field]) => {
                    let row = &mut results.entry(i).or_default().0;
                    match *field {
                        "name" => row.name = value,
                        "each" => row.each = true,
                        "value" => row.value = value,
                        "amount" => row.amount = value,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Self {
            outcomes: outcomes
                .into_values()
                .map(|(row, when)| OutcomeRow { when: when.into_values().collect(), ..row })
                .collect(),
            results: results
                .into_values()
                .map(|(row, when)| ResultRow { when: when.into_values().collect(), ..row })
                .collect(),
        }
    }

    /// Does what a button of the form says: `add.o`, `add.o.0`, `drop.r.1`, `drop.o.0.2`, `up.o.1`.
    fn edit(&mut self, what: &str) {
        let parts: Vec<&str> = what.split('.').collect();
        let index = |at: usize| parts.get(at).and_then(|text| text.parse::<usize>().ok());
        match (parts.as_slice(), index(2), index(3)) {
            (["add", "o"], ..) if self.outcomes.len() < MAX_ROWS => self.outcomes.push(OutcomeRow {
                outcome: Outcome::Completed.as_str().to_owned(),
                when: vec![ConditionRow::begin()],
                effect: String::new(),
            }),
            (["add", "r"], ..) if self.results.len() < MAX_ROWS => self.results.push(ResultRow {
                when: vec![ConditionRow::begin()],
                value: "none".to_owned(),
                ..ResultRow::default()
            }),
            (["add", list, _], Some(i), _) => {
                if let Some(when) = self.conditions(list, i).filter(|when| when.len() < MAX_ROWS) {
                    when.push(ConditionRow::begin());
                }
            }
            (["drop", "o", _], Some(i), _) if i < self.outcomes.len() => drop(self.outcomes.remove(i)),
            (["drop", "r", _], Some(i), _) if i < self.results.len() => drop(self.results.remove(i)),
            (["drop", list, _, _], Some(i), Some(j)) => {
                if let Some(when) = self.conditions(list, i).filter(|when| j < when.len()) {
                    when.remove(j);
                }
            }
            (["up", "o", _], Some(i), _) if i > 0 && i < self.outcomes.len() => self.outcomes.swap(i - 1, i),
            _ => {}
        }
    }

    fn conditions(&mut self, list: &str, i: usize) -> Option<&mut Vec<ConditionRow>> {
        match list {
            "o" => self.outcomes.get_mut(i).map(|row| &mut row.when),
            "r" => self.results.get_mut(i).map(|row| &mut row.when),
            _ => None,
        }
    }

    /// The rules of the rows. `None` when something is wrong, which then stands at its row.
    #[must_use]
    pub fn read(&mut self) -> Option<(Vec<OutcomeRule>, Vec<ResultRule>)> {
        let mut is_right = true;
        let mut conditions = |when: &mut Vec<ConditionRow>| {
            let mut read = Vec::new();
            for row in when {
                match row.read() {
                    Ok(condition) => {
                        row.error.clear();
                        read.push(condition);
                    }
                    Err(error) => {
                        row.error = error;
                        is_right = false;
                    }
                }
            }
            read
        };
        let mut outcomes = Vec::new();
        for row in &mut self.outcomes {
            let when = conditions(&mut row.when);
            outcomes.extend(Outcome::parse(&row.outcome).map(|outcome| OutcomeRule { outcome, when }));
        }
        let mut results = Vec::new();
        for row in &mut self.results {
            let when = conditions(&mut row.when);
            row.error.clear();
            let amount = row.amount.trim();
            let value = match row.value.as_str() {
                "fixed" => amount
                    .replace(',', ".")
                    .parse()
                    .ok()
                    .and_then(Nanos::from_units)
                    .map(|nanos| ResultValue::Fixed { nanos }),
                "attribute" => (!amount.is_empty()).then(|| ResultValue::Attribute { key: amount.to_owned() }),
                "json" => (!amount.is_empty()).then(|| ResultValue::Json { path: amount.to_owned() }),
                _ => Some(ResultValue::None),
            };
            match value {
                _ if row.name.trim().is_empty() => {
                    row.error = "Give the result a name, as the business calls it.".to_owned()
                }
                None => row.error = "Say what the value is, or choose that it has none.".to_owned(),
                Some(value) => {
                    results.push(ResultRule { name: row.name.trim().to_owned(), when, each: row.each, value })
                }
            }
        }
        let is_right = is_right && self.results.iter().all(|row| row.error.is_empty());
        (is_right && outcomes.len() == self.outcomes.len()).then_some((outcomes, results))
    }
}

fn set(row: &mut ConditionRow, field: &str, value: String) {
    match field {
        "test" => row.test = value,
        "a" => row.first = value,
        "b" => row.second = value,
        _ => {}
    }
}

impl RulesPage {
    fn kinds(&self) -> &'static [ConditionKind] {
        &CONDITION_KINDS
    }

    fn values(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        &VALUE_KINDS
    }

    fn outcome_words(&self) -> [&'static str; 4] {
        [Outcome::Completed, Outcome::Escalated, Outcome::Failed, Outcome::Abandoned].map(Outcome::as_str)
    }
}

impl Samples for RulesPage {
    fn empty() -> Self {
        Self {
            tabs: super::workflow::workflow_tabs("wf_1", "rules"),
            action: "/workflows/wf_1/rules".to_owned(),
            csrf: csrf(),
            rules: RulesForm::default(),
            error: String::new(),
            version: 1,
            currency: "EUR".to_owned(),
            known_tools: Vec::new(),
            preview: None,
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let condition = |test: &str, first: &str, second: &str| ConditionRow {
            test: test.to_owned(),
            first: words.say(first),
            second: second.to_owned(),
            error: String::new(),
        };
        let outcome = |outcome: Outcome, when, effect: &str| OutcomeRow {
            outcome: outcome.as_str().to_owned(),
            when,
            effect: effect.to_owned(),
        };
        let mut wrong = condition("score_below", "task_success", "many");
        wrong.error = words.say("“many” is not a number.");
        Self {
            rules: RulesForm {
                outcomes: vec![
                    outcome(
                        Outcome::Escalated,
                        vec![condition("tool_called", "transfer_to_human", "")],
                        "decides 41 of the last 500",
                    ),
                    outcome(
                        Outcome::Completed,
                        vec![
                            condition("tool_succeeded", "book_appointment", ""),
                            condition("attribute_is", "call.disposition", "booked"),
                        ],
                        "decides 362 of the last 500",
                    ),
                    outcome(Outcome::Failed, vec![wrong, condition("any_error", "", "")], ""),
                ],
                results: vec![ResultRow {
                    name: words.say("appointments booked"),
                    when: vec![condition("tool_succeeded", "book_*", "")],
                    each: true,
                    value: "fixed".to_owned(),
                    amount: "12.00".to_owned(),
                    error: String::new(),
                    effect: "counts 388 in the last 500".to_owned(),
                }],
            },
            known_tools: vec![words.say("book_appointment"), "transfer_to_human".to_owned()],
            preview: Some(preview(words)),
            version: 7,
            ..Self::empty()
        }
    }
}

fn preview(words: Words) -> RulesPreview {
    let moved = |before: Outcome, after: Outcome, n: &str, share: f64| {
        Row::plain(vec![
            Cell::Badge(Badge::outcome(before)),
            Cell::Badge(Badge::outcome(after)),
            Cell::number(n),
            Cell::Bar(share, crate::view::format::percent(share), "c-accent"),
        ])
    };
    let example = |title: &str, before: Outcome, after: Outcome, by: &str| {
        Row::opens(
            "/runs/run_1",
            vec![
                Cell::name(words.say(title)),
                Cell::Badge(Badge::outcome(before)),
                Cell::Badge(Badge::outcome(after)),
                Cell::text(words.say(by)),
                Cell::Time(ago(400)),
            ],
        )
    };
    RulesPreview {
        words: "Of the last 500 finished runs, 61 would have another outcome. Unverified falls from 97 to 40."
            .to_owned(),
        moves: Table::new(
            "How many runs move",
            vec![Column::new("Before"), Column::new("After"), Column::number("Runs"), Column::new("Share")],
            vec![
                moved(Outcome::Unverified, Outcome::Completed, "52", 0.104),
                moved(Outcome::Unverified, Outcome::Escalated, "5", 0.01),
                moved(Outcome::Completed, Outcome::Failed, "4", 0.008),
            ],
        )
        .or_empty(Empty::new(
            Icon::Runs,
            "No run would change",
            "These rules say of past runs what is said of them already.",
        )),
        results: Table::new(
            "Results",
            vec![Column::new("Result"), Column::number("Before"), Column::number("After")],
            vec![Row::plain(vec![
                Cell::name(words.say("appointments booked")),
                Cell::number("0"),
                Cell::number("388"),
            ])],
        ),
        examples: Table::new(
            "Some runs that move",
            vec![
                Column::new("Run"),
                Column::new("Before"),
                Column::new("After"),
                Column::new("By"),
                Column::new("Ended"),
            ],
            vec![
                example(
                    "Move a cleaning to Thursday",
                    Outcome::Unverified,
                    Outcome::Completed,
                    "rule 2: tool book_appointment succeeded",
                ),
                example(
                    "Angry about the bill",
                    Outcome::Unverified,
                    Outcome::Escalated,
                    "rule 1: tool transfer_to_human was called",
                ),
            ],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_condition_survives_its_row() {
        for kind in CONDITION_KINDS {
            let row = ConditionRow {
                test: kind.test.to_owned(),
                first: if kind.fields.is_empty() { "" } else { "name" }.to_owned(),
                second: if kind.fields.len() > 1 { "0.5" } else { "" }.to_owned(),
                error: String::new(),
            };
            let condition = row.read().expect("right");
            assert_eq!(ConditionRow::of(&condition), row);
        }
    }

    #[test]
    fn rows_are_added_moved_and_removed_by_buttons() {
        let typed = [
            ("o.0.outcome", "completed"),
            ("o.0.c.0.test", "tool_succeeded"),
            ("o.0.c.0.a", "book"),
            ("o.1.outcome", "escalated"),
            ("o.1.c.0.test", "tool_called"),
            ("o.1.c.0.a", "human"),
        ];
        let press = |what: &str| {
            let mut all = pairs(&typed);
            all.push(("do".to_owned(), what.to_owned()));
            RulesForm::posted(&all)
        };
        assert_eq!(press("save").1, RulesDo::Save);
        assert_eq!(press("add.o").0.outcomes.len(), 3);
        assert_eq!(press("add.o.1").0.outcomes[1].when.len(), 2);
        assert_eq!(press("drop.o.0").0.outcomes[0].outcome, "escalated");
        assert_eq!(press("drop.o.0.0").0.outcomes[0].when.len(), 0);
        assert_eq!(press("up.o.1").0.outcomes[0].outcome, "escalated");
        assert_eq!(press("add.r").0.results.len(), 1);
        assert_eq!(press("drop.o.99").0.outcomes.len(), 2);
        assert_eq!(press("nonsense.o.é").0.outcomes.len(), 2);
    }

    #[test]
    fn what_is_wrong_stands_at_its_row() {
        let (mut form, _) = RulesForm::posted(&pairs(&[
            ("o.0.outcome", "failed"),
            ("o.0.c.0.test", "score_below"),
            ("o.0.c.0.a", "reward"),
            ("o.0.c.0.b", "many"),
            ("r.0.name", ""),
            ("r.0.value", "none"),
        ]));
        assert!(form.read().is_none());
        assert_eq!(form.outcomes[0].when[0].error, "“many” is not a number.");
        assert!(!form.results[0].error.is_empty());
    }

    #[test]
    fn rules_survive_their_form() {
        let outcomes = vec![OutcomeRule { outcome: Outcome::Completed, when: vec![Condition::EndedClean] }];
        let results = vec![ResultRule {
            name: "bookings".to_owned(),
            when: vec![Condition::ToolSucceeded { tool: "book".to_owned() }],
            each: true,
            value: ResultValue::Fixed { nanos: Nanos(12_500_000_000) },
        }];
        assert_eq!(RulesForm::of(&outcomes, &results).read(), Some((outcomes, results)));
    }
}
