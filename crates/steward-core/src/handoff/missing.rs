//! What is missing so that the work can be done: by rules from the sort, class and code of what went wrong, and from
//! the words that tools and frameworks use for it.

use serde::{Deserialize, Serialize};

use super::{Material, acts, class_of};
use crate::conversation::Said;
use crate::exceptions::{ExceptionKind, one_line};
use crate::step::{ErrorClass, Role, cut_text};

/// The most things that are missing.
const MAX_MISSING: usize = 5;

/// What sort of thing is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingKind {
    /// Something that a tool has to be told.
    Argument,
    /// Leave to do something.
    Permission,
    /// A person's consent.
    Approval,
    /// An answer that never came, of a tool or of the other side.
    Answer,
    /// Something that was looked for and is not there.
    Record,
    /// Money.
    Payment,
    /// Something of the other side that works, or has time.
    Service,
    /// A person who takes it over.
    Person,
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What sort of thing.
    pub kind: MissingKind,
    /// What, in words.
    pub words: String,
}

pub(super) fn of(material: &Material<'_>, said: &[Said]) -> Vec<Missing> {
    let mut all: Vec<Missing> = Vec::new();
    let mut add = |kind, words: String| {
        if all.len() < MAX_MISSING && !all.iter().any(|known| known.words == words) {
            all.push(Missing { kind, words });
        }
    };
    let head = material.head;
    let message = one_line(material.message);
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let tool = if head.tool.is_empty() {
        "the step that failed".to_owned()
    } else {
        format!("“{}”", acts::words_of(&head.tool).join(" "))
    };
    let class = class_of(&head.class);
    for name in arguments(&message) {
        add(MissingKind::Argument, format!("{tool} has to be told: {name}"));
    }
    if has(&["approval", "approved by", "needs confirmation", "requires confirmation", "awaiting confirmation"]) {
        add(MissingKind::Approval, "an approval that nobody has given".to_owned());
    } else if class == Some(ErrorClass::Auth)
        || has(&["permission", "not allowed to", "not authorized", "not authorised"])
    {
        add(MissingKind::Permission, format!("permission for {tool}: look at its account and its key"));
    }
    let is_gone = has(&["not found", "no such", "does not exist", "doesn't exist", "unknown id"]) || head.code == "404";
    match class {
        Some(ErrorClass::Money) => {
            add(MissingKind::Payment, format!("money: the account behind {tool} has to be paid or charged up"));
        }
        Some(ErrorClass::Timeout) => add(MissingKind::Answer, format!("an answer of {tool}, which never came")),
        Some(ErrorClass::RateLimit) => {
            add(
                MissingKind::Service,
                format!("room at {tool}: it takes only so many requests, later it may take this one"),
            );
        }
        Some(ErrorClass::Server) => add(MissingKind::Service, format!("a working {tool}: it fails on its own side")),
        _ if is_gone => add(MissingKind::Record, format!("what was looked for: {message}")),
        _ => {}
    }
    match head.kind {
        ExceptionKind::Escalation => add(MissingKind::Person, "a person: the other side waits for one".to_owned()),
        ExceptionKind::Flag => add(MissingKind::Person, "a person who looks at what was flagged".to_owned()),
        ExceptionKind::Refusal | ExceptionKind::Empty | ExceptionKind::Limit => {
            add(MissingKind::Answer, "an answer to what was asked: the agent gave none, or not all of it".to_owned());
        }
        _ => {}
    }
    // What the agent asked last and nobody answered.
    let last = said.iter().rev().find(|said| said.message.role != Role::System && !said.message.text.trim().is_empty());
    if let Some(last) = last.filter(|last| last.message.role == Role::Assistant)
        && let Some(question) = last_question(&last.message.text)
    {
        add(MissingKind::Answer, format!("an answer of the other side to “{question}”"));
    }
    all
}

/// The question that a text ends with. `None` when it ends otherwise.
fn last_question(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.ends_with(['?', '？', '؟']) {
        return None;
    }
    let start = text
        .char_indices()
        .rev()
        .skip(1)
        .find(|(at, c)| {
            let ends = matches!(c, '.' | '!' | '?' | '。' | '！' | '？' | '؟');
            *c == '\n' || ends && text[at + c.len_utf8()..].starts_with(char::is_whitespace)
        })
        .map_or(0, |(at, c)| at + c.len_utf8());
    Some(cut_text(&one_line(&text[start..]), 200))
}

/// The names of arguments that a message says are missing.
fn arguments(message: &str) -> Vec<String> {
    let lower = message.to_lowercase();
    let is_one = ["required", "missing", "must be provided", "must provide"].iter().any(|word| lower.contains(word));
    // “Required permission” is none.
    if !is_one || lower.contains("permission") || lower.contains("approval") {
        return Vec::new();
    }
    let quoted = quoted(message);
    if !quoted.is_empty() {
        return quoted;
    }
    let words: Vec<&str> = message.split_whitespace().map(|word| word.trim_matches(|c: char| !is_name(c))).collect();
    let lowered: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let nouns =
        ["field", "parameter", "argument", "property", "input", "value", "key", "fields", "parameters", "arguments"];
    // `missing required field email`
    let behind =
        lowered.windows(2).position(|pair| nouns.contains(&pair[0].as_str()) && !nouns.contains(&pair[1].as_str()));
    if let Some(at) = behind.filter(|at| lowered[..*at].iter().any(|word| word == "missing" || word == "required")) {
        return Some(words[at + 1]).filter(|word| is_argument(word)).map(str::to_owned).into_iter().collect();
    }
    // `email is required`, `email is missing`
    let before =
        lowered.windows(2).position(|pair| pair[0] == "is" && matches!(pair[1].as_str(), "required" | "missing"));
    let name = before.and_then(|at| at.checked_sub(1)).map(|at| words[at]).filter(|word| is_argument(word));
    name.map(str::to_owned).into_iter().collect()
}

/// The names in quotes, at most three.
fn quoted(message: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = message;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let quote = &rest[at..=at];
        let inside = &rest[at + 1..];
        let Some(end) = inside.find(quote) else { break };
        let name = &inside[..end];
        if is_argument(name) && !names.iter().any(|known| known == name) && names.len() < 3 {
            names.push(name.to_owned());
        }
        rest = &inside[end + 1..];
    }
    names
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

fn is_argument(name: &str) -> bool {
    (2..=60).contains(&name.len())
        && name.chars().all(is_name)
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !["the", "this", "it", "is", "which", "that", "required", "missing", "and", "field"]
            .contains(&name.to_lowercase().as_str())
}
