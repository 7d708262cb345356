//! Expectations of a workflow: what must hold of every run that has ended. One that is broken is an exception.
//!
//! An expectation is data, as a rule is: people edit it on a page, see which past runs would have broken it, and only
//! then save it. What a run does not tell, because nothing of what was said was kept, breaks nothing.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::answer_schema::AnswerSchema;
use crate::derive::Tree;
use crate::exceptions::one_line;
use crate::money::Nanos;
use crate::outcome::Outcome;
use crate::rules::fits;
use crate::run::RunFacts;
use crate::step::{Role, Step, StepKind, cut_text};

/// An answer that is said twice counts from so many characters on: “One moment, please.” may be.
const LEAST_REPEATED_CHARS: usize = 30;
/// The most characters of what was said that a message quotes.
const MAX_QUOTED_CHARS: usize = 80;

/// What must hold of every run that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "expect", rename_all = "snake_case")]
pub enum Expectation {
    /// A tool is called without an error, in every run that counts as done.
    CallsTool {
        /// The tool's name, or a beginning of it and `*`.
        tool: String,
    },
    /// The agent says none of these, in any case.
    NeverSays {
        /// The words, or longer texts.
        texts: Vec<String>,
    },
    /// The last answer is JSON that fits a schema, in every run that counts as done.
    AnswerFits {
        /// The schema.
        schema: AnswerSchema,
    },
    /// A run costs at most so much. One whose cost is not known breaks nothing.
    CostsAtMost {
        /// Nano-US-dollars.
        nanos: Nanos,
    },
    /// A run takes at most so long, waiting for a person left out.
    EndsWithin {
        /// Milliseconds.
        ms: i64,
    },
    /// A run has at most so many steps.
    StepsAtMost {
        /// Steps.
        steps: u32,
    },
    /// The agent says something.
    SaysSomething,
    /// The agent says nothing of some length twice.
    NeverRepeats,
    /// No tool is called so often with the same arguments.
    NeverLoops {
        /// Calls.
        times: u32,
    },
}

/// What was broken.
pub(crate) struct Broken {
    /// In words.
    pub(crate) words: String,
    /// The place of the step that broke it, where there is one.
    pub(crate) step: Option<usize>,
}

impl Expectation {
    /// The word for its kind, as stored and as the code of the exception.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::CallsTool { .. } => "calls_tool",
            Self::NeverSays { .. } => "never_says",
            Self::AnswerFits { .. } => "answer_fits",
            Self::CostsAtMost { .. } => "costs_at_most",
            Self::EndsWithin { .. } => "ends_within",
            Self::StepsAtMost { .. } => "steps_at_most",
            Self::SaysSomething => "says_something",
            Self::NeverRepeats => "never_repeats",
            Self::NeverLoops { .. } => "never_loops",
        }
    }

    /// The expectation in words, for pages.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::CallsTool { tool } => format!("tool {tool} succeeds"),
            Self::NeverSays { texts } => format!("the agent never says “{}”", texts.join("” or “")),
            Self::AnswerFits { .. } => "the last answer fits its JSON Schema".to_owned(),
            Self::CostsAtMost { nanos } => format!("a run costs at most {} USD", units(*nanos)),
            Self::EndsWithin { ms } => format!("a run takes at most {} s", *ms as f64 / 1_000.0),
            Self::StepsAtMost { steps } => format!("a run has at most {steps} steps"),
            Self::SaysSomething => "the agent says something".to_owned(),
            Self::NeverRepeats => "the agent says nothing twice".to_owned(),
            Self::NeverLoops { times } => format!("no tool is called {times} times with the same arguments"),
        }
    }

    /// What tells it from others, so that its exception keeps its key while limits are moved.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::CallsTool { tool } => format!("{} {tool}", self.word()),
            Self::NeverSays { texts } => format!("{} {}", self.word(), texts.join("\u{1f}")),
            _ => self.word().to_owned(),
        }
    }

    /// What a finished run broke of it. `None` when it holds, or when the run does not tell.
    pub(crate) fn check(&self, facts: &RunFacts, steps: &[Step], tree: &Tree, spoken: &Spoken<'_>) -> Option<Broken> {
        let whole = |words: String| Some(Broken { words, step: None });
        let counts_as_done = matches!(facts.outcome(), Outcome::Completed | Outcome::Unverified);
        match self {
            Self::CallsTool { tool } => {
                let calls = |step: &&Step| {
                    step.kind == StepKind::Tool && step.tool.as_deref().is_some_and(|name| fits(tool, name))
                };
                if !counts_as_done || steps.iter().filter(calls).any(|step| step.error.is_none()) {
                    return None;
                }
                let failed = steps.iter().rposition(|step| calls(&step));
                let words = if failed.is_some() { "was called and never succeeded" } else { "was not called" };
                Some(Broken { words: format!("tool {tool} {words}"), step: failed })
            }
            Self::NeverSays { texts } => spoken.said.iter().find_map(|(step, said)| {
                let said = said.to_lowercase();
                let text = texts.iter().find(|text| !text.is_empty() && said.contains(&text.to_lowercase()))?;
                Some(Broken { words: one_line(&format!("the agent said “{text}”")), step: Some(*step) })
            }),
            Self::AnswerFits { schema } => {
                if !counts_as_done {
                    return None;
                }
                let (step, answer) = spoken.said.last()?;
                let words = schema.misfit(answer)?;
                Some(Broken { words: one_line(&words), step: Some(*step) })
            }
            Self::CostsAtMost { nanos } => {
                facts.cost_nanos.filter(|cost| cost.0 > nanos.0)?;
                // Whoever may not see money reads this too.
                whole("the run cost more than it may".to_owned())
            }
            Self::EndsWithin { ms } => {
                let took = facts.cycle_ms - facts.waiting_ms;
                if took <= *ms {
                    return None;
                }
                let seconds = |ms: i64| ms as f64 / 1_000.0;
                whole(format!("the run took {} s, more than {} s", seconds(took), seconds(*ms)))
            }
            Self::StepsAtMost { steps: most } => {
                if facts.n_steps <= *most {
                    return None;
                }
                whole(format!("the run had {} steps, more than {most}", facts.n_steps))
            }
            Self::SaysSomething => {
                if spoken.is_unknown || !spoken.said.is_empty() {
                    return None;
                }
                whole("the agent said nothing".to_owned())
            }
            Self::NeverRepeats => {
                let mut seen: HashMap<&str, usize> = HashMap::new();
                spoken.said.iter().find_map(|(step, said)| {
                    let said = said.trim();
                    said.chars().nth(LEAST_REPEATED_CHARS)?;
                    seen.insert(said, *step)?;
                    let quoted = cut_text(said, MAX_QUOTED_CHARS);
                    Some(Broken { words: one_line(&format!("the agent said twice: {quoted}")), step: Some(*step) })
                })
            }
            Self::NeverLoops { times } => {
                let mut calls: HashMap<(&str, &str), u32> = HashMap::new();
                let known = steps
                    .iter()
                    .enumerate()
                    .filter(|(i, step)| step.kind == StepKind::Tool && tree.same_call_around(steps, *i).is_none());
                known.filter_map(|(i, step)| Some((i, step.tool.as_deref()?, &step.input.first()?.text))).find_map(
                    |(i, tool, arguments)| {
                        let n = calls.entry((tool, arguments)).or_default();
                        *n += 1;
                        let words = || format!("tool {tool} was called {times} times with the same arguments");
                        (*n >= *times).then(|| Broken { words: words(), step: Some(i) })
                    },
                )
            }
        }
    }
}

fn units(nanos: Nanos) -> f64 {
    nanos.0 as f64 / 1e9
}

/// What an agent said in a run, in order.
pub(crate) struct Spoken<'a> {
    /// The place of the step, and the text; never empty.
    said: Vec<(usize, &'a str)>,
    /// Nothing of what was said was kept.
    is_unknown: bool,
}

impl<'a> Spoken<'a> {
    /// What models said; each call once, however many steps report it. Where there is no model, what the outermost
    /// steps gave back.
    pub(crate) fn of(steps: &'a [Step], tree: &Tree) -> Self {
        let has_inner_model = tree.with_inner(steps, |step| step.kind == StepKind::Model);
        let repeated = crate::derive::repeated_calls(steps, tree);
        let has_model = steps.iter().any(|step| step.kind == StepKind::Model);
        let speaks = |i: usize| {
            if has_model {
                steps[i].kind == StepKind::Model && !has_inner_model[i] && !repeated[i]
            } else {
                steps[i].parent_span_id.is_none()
            }
        };
        let mut said = Vec::new();
        let mut is_unknown = true;
        for (i, step) in steps.iter().enumerate().filter(|(i, _)| speaks(*i)) {
            is_unknown &= step.output.is_empty() || step.reading.without_content;
            let texts = step.output.iter().filter(|message| message.role == Role::Assistant);
            said.extend(texts.map(|m| m.text.as_str()).filter(|text| !text.trim().is_empty()).map(|text| (i, text)));
        }
        said.sort_by_key(|(i, _)| (steps[*i].ended_at, *i));
        Self { said, is_unknown }
    }
}
