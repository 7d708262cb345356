//! Recorded runs, one JSON object a line, into steps.
//!
//! | format | what a line is |
//! |---|---|
//! | [`Format::Native`] | a run as [`crate::native`] describes it |
//! | [`Format::Transcript`] | a conversation in OpenAI's form: `{"messages": […]}` with whatever stands beside it, or the bare list |
//! | [`Format::TauBench`] | a run of tau-bench with its reward |
//! | [`Format::Tau2Bench`] | a run of tau2-bench with its times, tokens, costs and reward |

mod tau;
mod transcript;

use std::collections::HashMap;

use serde::de::IgnoredAny;
use serde_json::Value;
use steward_core::step::Step;
use steward_core::time::Timestamp;

use crate::native;

/// Where the times of runs begin whose source has none: 2024-05-15, 15:00 UTC.
pub const INVENTED_TIMES_FROM: Timestamp = Timestamp(1_715_785_200_000_000);

/// What stands in the notes of steps whose times are invented.
pub const INVENTED_TIMES_NOTE: &str = "times are invented: the source has none";

/// The formats of recorded runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Steward's own.
    Native,
    /// Conversations in OpenAI's form.
    Transcript,
    /// Runs of tau-bench.
    TauBench,
    /// Runs of tau2-bench.
    Tau2Bench,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Native, Self::Transcript, Self::TauBench, Self::Tau2Bench];

    /// The word for it, as it is given on a command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Transcript => "transcript",
            Self::TauBench => "tau-bench",
            Self::Tau2Bench => "tau2-bench",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// A run that was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The run's stable id: the source's own, or a hash of the line.
    pub key: String,
    /// Its steps, the root first.
    pub steps: Vec<Step>,
}

/// Finds the format of a line. `None` when it is none that is known.
#[must_use]
pub fn detect(line: &str) -> Option<Format> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.starts_with('[') {
        let messages: Vec<Value> = serde_json::from_str(line).ok()?;
        let said = |message: &Value| message.get("role").is_some_and(Value::is_string);
        return (!messages.is_empty() && messages.iter().all(said)).then_some(Format::Transcript);
    }
    let fields: HashMap<String, IgnoredAny> = serde_json::from_str(line).ok()?;
    let has = |key: &str| fields.contains_key(key);
    let talks = has("messages") || has("traj");
    if talks && has("termination_reason") && has("task_id") {
        Some(Format::Tau2Bench)
    } else if talks && has("reward") && has("task_id") {
        Some(Format::TauBench)
    } else if has("started_at") || has("steps") || has("ended_at") || has("workflow") {
        Some(Format::Native)
    } else if has("messages") {
        Some(Format::Transcript)
    } else {
        None
    }
}

/// Reads one line.
///
/// # Errors
///
/// The reason, in words for a person, why the line is no run of the format.
pub fn read_line(format: Format, line: &str) -> Result<Imported, String> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let value: Value = serde_json::from_str(line).map_err(|error| format!("the line is not valid JSON: {error}"))?;
    let mut imported = match format {
        Format::Native => native::read_run(value).map(|run| Imported { key: run.key, steps: run.steps }),
        Format::Transcript => transcript::read(value, line),
        Format::TauBench => tau::read_tau(value, line),
        Format::Tau2Bench => tau::read_tau2(value, line),
    }?;
    imported.steps.iter_mut().for_each(crate::nul::replace_in);
    imported.key = imported.key.replace('\0', "\u{fffd}");
    Ok(imported)
}
