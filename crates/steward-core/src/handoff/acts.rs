//! What an agent did, in plain words: `looked up order 4711: found`, `tried to refund order 4711: refused, 403`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::conversation::Said;
use crate::errors::of_tool_text;
use crate::exceptions::one_line;
use crate::step::{ErrorClass, Message, Role, Step, StepError, StepKind, cut_text};

/// The most acts of a packet; the last are kept.
const MAX_ACTS: usize = 12;
/// The most arguments that are told.
const MAX_ARGUMENTS: usize = 3;
/// The most characters of one argument.
const MAX_VALUE_CHARS: usize = 48;
/// The most characters of an answer that is told word for word.
const MAX_ANSWER_CHARS: usize = 100;
/// The most bytes of arguments or of an answer that are read as JSON.
const MAX_JSON_BYTES: usize = 65_536;

/// Something that the agent did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// What: `looked up order 4711: found`.
    pub words: String,
    /// Whether it went wrong.
    pub failed: bool,
    /// How often, one after the other.
    pub times: u32,
}

impl Act {
    /// What and how often.
    #[must_use]
    pub fn in_words(&self) -> String {
        if self.times > 1 { format!("{} ({} times)", self.words, self.times) } else { self.words.clone() }
    }
}

/// A verb of a tool's name.
struct Verb {
    /// What tools are called by.
    names: &'static [&'static str],
    past: &'static str,
    plain: &'static str,
    looks: bool,
}

const fn verb(names: &'static [&'static str], past: &'static str, plain: &'static str) -> Verb {
    Verb { names, past, plain, looks: false }
}

const VERBS: [Verb; 19] = [
    Verb {
        names: &[
            "get", "fetch", "find", "lookup", "look", "search", "list", "read", "check", "query", "retrieve", "load",
            "view",
        ],
        past: "looked up",
        plain: "look up",
        looks: true,
    },
    verb(&["create", "add", "make", "insert", "open"], "created", "create"),
    verb(&["book", "reserve", "schedule"], "booked", "book"),
    verb(&["reschedule", "move"], "moved", "move"),
    verb(&["update", "modify", "edit", "change", "set", "patch"], "changed", "change"),
    verb(&["cancel"], "cancelled", "cancel"),
    verb(&["delete", "remove"], "deleted", "delete"),
    verb(&["send"], "sent", "send"),
    verb(&["notify"], "notified", "notify"),
    verb(&["refund"], "refunded", "refund"),
    verb(&["pay", "charge"], "charged", "charge"),
    verb(&["exchange"], "exchanged", "exchange"),
    verb(&["return"], "returned", "return"),
    verb(&["verify", "validate", "confirm"], "verified", "verify"),
    verb(&["calculate", "compute"], "calculated", "calculate"),
    verb(&["transfer", "escalate", "handoff"], "handed over", "hand over"),
    verb(&["submit"], "submitted", "submit"),
    verb(&["save", "store", "log", "record"], "recorded", "record"),
    verb(&["approve"], "approved", "approve"),
];

/// What stands in a tool's name and tells nothing.
const FILLERS: [&str; 8] = ["mcp", "tool", "api", "function", "functions", "up", "by", "with"];

/// The acts of a run, and how many before them are left out.
pub(super) fn of(steps: &[Step], said: &[Said]) -> (Vec<Act>, u32) {
    let mut all: Vec<Act> = Vec::new();
    let mut push = |act: Act| match all.last_mut() {
        Some(last) if last.words == act.words => last.times = last.times.saturating_add(1),
        _ => all.push(act),
    };
    if steps.iter().any(|step| step.kind == StepKind::Tool) {
        for step in steps.iter().filter(|step| step.kind == StepKind::Tool) {
            let name = step.tool.as_deref().unwrap_or(&step.name);
            let arguments = step.input.first().map_or("", |message| message.text.as_str());
            push(act(name, arguments, step.output_text(), step.error.clone().or_else(|| of_tool_text(step))));
        }
    } else {
        // Without steps for tools, messages tell of calls and of their answers.
        for (i, asked) in said.iter().enumerate() {
            for call in &asked.message.tool_calls {
                let is_answer = |message: &Message| {
                    message.role == Role::Tool
                        && match (&message.tool_call_id, &call.id) {
                            (Some(of), Some(id)) => of == id,
                            _ => message.name.as_ref().is_none_or(|name| *name == call.name),
                        }
                };
                let answer = said[i + 1..].iter().map(|said| &said.message).find(|message| is_answer(message));
                let text = answer.map_or("", |message| message.text.as_str());
                let error = answer.and_then(|message| {
                    let step = Step { kind: StepKind::Tool, output: vec![message.clone()], ..Step::default() };
                    of_tool_text(&step)
                });
                push(act(&call.name, &call.arguments, text, error));
            }
        }
    }
    let before = all.len().saturating_sub(MAX_ACTS);
    (all.split_off(before), u32::try_from(before).unwrap_or(u32::MAX))
}

fn act(name: &str, arguments: &str, answer: &str, error: Option<StepError>) -> Act {
    let call = Call::read(name, arguments);
    let words = match &error {
        None => match answer_words(call.looks, answer) {
            Some(answer) => format!("{}: {answer}", call.past()),
            None => call.past(),
        },
        Some(error) => {
            let mut words = format!("tried to {}: {}", call.plain(), error_words(error.class));
            if let Some(code) = error.code.as_deref().filter(|code| !code.is_empty()) {
                words.push_str(&format!(", {}", cut_text(&one_line(code), 40)));
            }
            let says = matches!(error.class, ErrorClass::Other | ErrorClass::Validation | ErrorClass::BadRequest);
            if says && !error.message.is_empty() {
                words.push_str(&format!(", “{}”", cut_text(&one_line(&error.message), MAX_ANSWER_CHARS)));
            }
            words
        }
    };
    Act { words, failed: error.is_some(), times: 1 }
}

/// A call in plain words, without what came of it: `look up order 4711`.
pub(super) fn call_words(name: &str, arguments: &str) -> String {
    Call::read(name, arguments).plain()
}

/// What a class of error means to a person.
pub(super) const fn error_words(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Auth => "access was refused",
        ErrorClass::RateLimit => "too many requests",
        ErrorClass::Timeout => "no answer in time",
        ErrorClass::Server => "the other side is broken",
        ErrorClass::BadRequest => "the request was refused",
        ErrorClass::Validation => "something did not fit",
        ErrorClass::Money => "somebody has to pay first",
        ErrorClass::Other => "failed",
    }
}

struct Call {
    past: &'static str,
    plain: &'static str,
    looks: bool,
    /// What it was done to, with its arguments.
    object: String,
}

impl Call {
    fn read(name: &str, arguments: &str) -> Self {
        let words = words_of(name);
        let found = words.iter().enumerate().find_map(|(at, word)| {
            VERBS.iter().find(|verb| verb.names.contains(&word.as_str())).map(|verb| (at, verb))
        });
        let is_object = |(at, word): &(usize, &String)| {
            Some(*at) != found.as_ref().map(|(at, _)| *at) && (found.is_none() || !FILLERS.contains(&word.as_str()))
        };
        let noun: Vec<&str> = words.iter().enumerate().filter(is_object).map(|(_, word)| word.as_str()).collect();
        let (mut bare, mut named) = (Vec::new(), Vec::new());
        for (key, value) in told_arguments(arguments) {
            let stems = words_of(&key);
            if stems.iter().all(|stem| noun.contains(&stem.as_str()) || matches!(stem.as_str(), "id" | "number" | "no"))
            {
                bare.push(value);
            } else {
                named.push(format!("{} {value}", stems.join(" ")));
            }
        }
        let mut object = noun.join(" ");
        for value in bare {
            object.push_str(&format!(" {value}"));
        }
        if !named.is_empty() {
            object.push_str(&format!(" ({})", named.join(", ")));
        }
        let (past, plain, looks) =
            found.map_or(("used", "use", false), |(_, verb)| (verb.past, verb.plain, verb.looks));
        Self { past, plain, looks, object: object.trim_start().to_owned() }
    }

    fn past(&self) -> String {
        format!("{} {}", self.past, self.object).trim_end().to_owned()
    }

    fn plain(&self) -> String {
        format!("{} {}", self.plain, self.object).trim_end().to_owned()
    }
}

/// The words of a name: `getOrder_status` is `get order status`; at most eight.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in name.chars().take(120) {
        let begins = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if !c.is_alphanumeric() || begins {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if words.len() == 8 {
                return words;
            }
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The arguments that are told: single values, in order, none that is named like a secret.
fn told_arguments(arguments: &str) -> Vec<(String, String)> {
    let Some(Value::Object(members)) = read_json(arguments) else { return Vec::new() };
    let told = members.into_iter().filter_map(|(key, value)| {
        let lower = key.to_lowercase();
        if ["password", "secret", "token", "api_key", "apikey", "authorization", "credential"]
            .iter()
            .any(|word| lower.contains(word))
        {
            return None;
        }
        let value = match value {
            Value::String(text) if !text.trim().is_empty() => cut_text(&one_line(&text), MAX_VALUE_CHARS),
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Array(items) if items.len() > 1 => format!("{} of them", items.len()),
            Value::Array(items) => match items.into_iter().next() {
                Some(Value::String(text)) => cut_text(&one_line(&text), MAX_VALUE_CHARS),
                Some(Value::Number(number)) => number.to_string(),
                _ => return None,
            },
            _ => return None,
        };
        Some((key, value))
    });
    told.take(MAX_ARGUMENTS).collect()
}

/// What a tool answered, in a few words. `None` when nothing of it was kept.
fn answer_words(looks: bool, answer: &str) -> Option<String> {
    let text = answer.trim();
    if text.is_empty() {
        return None;
    }
    let (some, nothing) = if looks { ("found", "found nothing") } else { ("done", "done") };
    let value = match read_json(text) {
        Some(value) => value,
        None => {
            let lower = text.chars().take(300).collect::<String>().to_lowercase();
            if looks
                && ["not found", "no results", "nothing found", "no match", "no such"].iter().any(|w| lower.contains(w))
            {
                return Some(nothing.to_owned());
            }
            Value::String(text.to_owned())
        }
    };
    Some(match value {
        Value::Null => nothing.to_owned(),
        Value::Bool(is) => if is { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.trim().is_empty() => nothing.to_owned(),
        Value::String(text) if text.chars().nth(MAX_ANSWER_CHARS).is_none() => format!("“{}”", one_line(&text)),
        Value::String(_) => some.to_owned(),
        Value::Array(items) if items.is_empty() => nothing.to_owned(),
        Value::Array(items) if looks => format!("found {}", items.len()),
        Value::Array(_) => some.to_owned(),
        Value::Object(members) if members.is_empty() => nothing.to_owned(),
        Value::Object(members) => {
            let is_false = |key: &str| members.get(key).and_then(Value::as_bool) == Some(false);
            let short = |key: &str| {
                let text = members.get(key)?.as_str().map(one_line)?;
                (!text.is_empty() && text.chars().nth(MAX_ANSWER_CHARS).is_none()).then_some(text)
            };
            let says = ["message", "status", "state", "result"].into_iter().find_map(short);
            match says {
                Some(says) => format!("“{says}”"),
                None if looks && is_false("found") => nothing.to_owned(),
                None if ["success", "ok"].into_iter().any(is_false) => "it did not work".to_owned(),
                None => some.to_owned(),
            }
        }
    })
}

fn read_json(text: &str) -> Option<Value> {
    if text.len() > MAX_JSON_BYTES { None } else { serde_json::from_str(text).ok() }
}
