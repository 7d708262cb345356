//! The handoff packet: what a person needs to finish what the agent could not.
//!
//! It is made of what the run holds and nothing else: no model writes it, so nothing in it is made up, and where the
//! run does not say, the packet says so. What privacy settings took out before it was stored is in no packet.
//!
//! Invariant: every list and every text in a packet is bounded, whatever the run holds. No money is in it.

mod acts;
mod missing;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::conversation::{Said, conversation};
use crate::exceptions::{ExceptionKind, one_line};
use crate::ids::{ChannelId, DeliveryId, ExceptionId};
use crate::patterns::Head;
use crate::run::RunFacts;
use crate::step::{ErrorClass, Role, Step, StepKind, cut_text};
use crate::time::Timestamp;

pub use acts::Act;
pub use missing::{Missing, MissingKind};

/// The most characters of what was asked.
const MAX_ASKED_CHARS: usize = 1_000;
/// The most things said that a packet repeats; the last are kept.
const MAX_LINES: usize = 40;
/// The most characters of each.
const MAX_LINE_CHARS: usize = 1_500;
/// The most addresses and numbers.
const MAX_CONTACTS: usize = 6;
/// The most characters of a text in which addresses and numbers are looked for.
const MAX_SEARCHED_CHARS: usize = 4_000;
/// The most texts in which they are looked for.
const MAX_SEARCHED: usize = 200;
/// The most past resolutions.
const MAX_WORKED: usize = 5;
/// What stands where a run holds nothing.
pub const NOT_SAID: &str = "The run does not say.";

/// What is to be handed over, as it is kept.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct Material<'a> {
    /// What went wrong: its sort, tool, class and code.
    pub head: &'a Head,
    /// What it says.
    pub message: &'a str,
    /// What the run came to.
    pub facts: &'a RunFacts,
    /// Its steps; empty when they are kept no longer.
    pub steps: &'a [Step],
    /// Whether retention has dropped its steps.
    pub steps_dropped: bool,
    /// What people did about the same pattern before.
    pub resolutions: &'a [Worked],
    /// Finds e-mail addresses and telephone numbers in a text.
    pub find_contacts: &'a dyn Fn(&str) -> Vec<(ContactKind, String)>,
}

/// What a person needs to finish what the agent could not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Packet {
    /// The first thing that the other side said; empty when the run does not say.
    pub asked_first: String,
    /// The last thing that it said; empty when that is the first, or there is none.
    pub asked_last: String,
    /// What the agent did, in order; the last ones.
    pub acts: Vec<Act>,
    /// Acts before those that are left out.
    pub n_acts_before: u32,
    /// Why it stopped.
    pub stopped: String,
    /// What is missing; empty when the run does not say.
    pub missing: Vec<Missing>,
    /// The end user, by the sender's id; empty when not said.
    pub user_id: String,
    /// How to reach whoever is affected, as far as the run holds it.
    pub contacts: Vec<Contact>,
    /// What worked for the same pattern before, the most used first.
    pub worked: Vec<Worked>,
    /// The conversation without instructions; the last things said.
    pub said: Vec<Line>,
    /// Things said before those that are left out.
    pub n_said_before: u32,
    /// Why parts of it are empty though the run had them; empty when they are not.
    pub note: String,
}

/// An e-mail address or a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
}

impl ContactKind {
    /// The word for it, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// How somebody may be reached, and where the run holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// What it is.
    pub kind: ContactKind,
    /// The address or the number.
    pub value: String,
    /// Where it was found: `said by the other side`, `given to find order`.
    pub from: String,
}

/// What people did about a pattern before, in their words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worked {
    /// What they did.
    pub resolution: String,
    /// How often.
    pub n: u32,
    /// When last.
    pub last_at: Timestamp,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who said it.
    pub role: Role,
    /// The tool, where one answered; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What was said, or which tools were called.
    pub text: String,
}

/// A part of a packet in plain words, for whatever shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its head: `What was asked`.
    pub head: &'static str,
    /// Its lines; never empty.
    pub lines: Vec<String>,
}

impl Packet {
    /// Puts a packet together.
    #[must_use]
    pub fn of(material: &Material<'_>) -> Self {
        let said = conversation(material.steps);
        let asked: Vec<&Said> =
            said.iter().filter(|s| s.message.role == Role::User && !s.message.text.trim().is_empty()).collect();
        let text_of = |said: Option<&&Said>| {
            said.map_or_else(String::new, |said| cut_text(said.message.text.trim(), MAX_ASKED_CHARS))
        };
        let asked_first = text_of(asked.first());
        let asked_last = text_of(asked.last().filter(|_| asked.len() > 1));
        let (acts, n_acts_before) = acts::of(material.steps, &said);
        let (lines, n_said_before) = lines(&said);
        let mut worked: Vec<Worked> =
            material.resolutions.iter().filter(|worked| !worked.resolution.trim().is_empty()).cloned().collect();
        worked.sort_by(|a, b| (b.n, b.last_at, &a.resolution).cmp(&(a.n, a.last_at, &b.resolution)));
        worked.truncate(MAX_WORKED);
        Self {
            asked_last: if asked_last == asked_first { String::new() } else { asked_last },
            asked_first,
            acts,
            n_acts_before,
            stopped: stopped(material),
            missing: missing::of(material, &said),
            user_id: cut_text(&material.facts.user_id, 120),
            contacts: contacts(material, &said),
            worked,
            said: lines,
            n_said_before,
            note: note(material, &said),
        }
    }

    /// The packet in plain words, without the conversation: each part once, in the order in which it is read.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let or_not_said = |lines: Vec<String>| if lines.is_empty() { vec![NOT_SAID.to_owned()] } else { lines };
        let mut asked: Vec<String> =
            [&self.asked_first].into_iter().filter(|text| !text.is_empty()).map(|text| format!("“{text}”")).collect();
        if !self.asked_last.is_empty() {
            asked.push(format!("Last: “{}”", self.asked_last));
        }
        let mut done = Vec::new();
        if self.n_acts_before > 0 {
            done.push(format!("{} earlier calls are left out.", self.n_acts_before));
        }
        done.extend(self.acts.iter().map(|act| act.in_words()));
        let mut who = Vec::new();
        if !self.user_id.is_empty() {
            who.push(format!("User {}", self.user_id));
        }
        who.extend(self.contacts.iter().map(|contact| format!("{} ({})", contact.value, contact.from)));
        let worked: Vec<String> = self.worked.iter().map(Worked::in_words).collect();
        let mut sections = vec![
            Section { head: "What was asked", lines: or_not_said(asked) },
            Section {
                head: "What was done",
                lines: if done.is_empty() { vec!["No tool was called.".to_owned()] } else { done },
            },
            Section { head: "Why it stopped", lines: vec![self.stopped.clone()] },
            Section {
                head: "What is missing",
                lines: or_not_said(self.missing.iter().map(|missing| missing.words.clone()).collect()),
            },
            Section { head: "Who is affected", lines: or_not_said(who) },
            Section {
                head: "What worked before",
                lines: if worked.is_empty() { vec!["Nobody has noted it yet.".to_owned()] } else { worked },
            },
        ];
        if !self.note.is_empty() {
            sections.push(Section { head: "Note", lines: vec![self.note.clone()] });
        }
        sections
    }

    /// The packet as plain text, the conversation at its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for section in self.sections() {
            push_section(&mut text, section.head, &section.lines);
        }
        if !self.said.is_empty() {
            let mut lines = Vec::new();
            if self.n_said_before > 0 {
                lines.push(format!("{} things said before are left out.", self.n_said_before));
            }
            lines.extend(self.said.iter().map(|line| format!("{}: {}", line.who(), line.text)));
            push_section(&mut text, "Conversation", &lines);
        }
        text
    }
}

fn push_section(text: &mut String, head: &str, lines: &[String]) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(head);
    text.push('\n');
    for line in lines {
        text.push_str("- ");
        // What stands on several lines stays below its dash.
        text.push_str(&line.replace('\n', "\n  "));
        text.push('\n');
    }
}

impl Worked {
    /// What was done and how often, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.n {
            0 | 1 => self.resolution.clone(),
            n => format!("{} ({n} times)", self.resolution),
        }
    }
}

impl Line {
    /// Who said it, in a word.
    #[must_use]
    pub fn who(&self) -> &str {
        match self.role {
            Role::System => "Instructions",
            Role::User => "User",
            Role::Assistant => "Agent",
            Role::Tool if self.name.is_empty() => "Tool",
            Role::Tool => &self.name,
        }
    }
}

/// The id of what is sent about an exception by a channel: always the same, so that it is sent once.
#[must_use]
pub fn delivery_of(channel: ChannelId, exception: ExceptionId) -> DeliveryId {
    let mut hash = Sha256::new();
    hash.update(channel.as_uuid().as_bytes());
    hash.update(exception.as_uuid().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    // A UUID of version 8: made of something else than time or chance.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    DeliveryId::from_uuid(Uuid::from_bytes(bytes))
}

/// Why it stopped, in a sentence.
fn stopped(material: &Material<'_>) -> String {
    let Head { kind, stage, tool, class, code, .. } = material.head;
    let message = one_line(material.message);
    let place = match (tool.as_str(), stage.as_str()) {
        ("", "model" | "embedding") => "The model".to_owned(),
        ("", "agent") => "The agent".to_owned(),
        ("", _) => "A step".to_owned(),
        (tool, _) => format!("“{}”", acts::words_of(tool).join(" ")),
    };
    let code = if code.is_empty() || message.contains(code.as_str()) { String::new() } else { format!(" ({code})") };
    match kind {
        ExceptionKind::Error => {
            let why = class_of(class).map_or("failed", acts::error_words);
            format!(
                "{place} {}{code}: {message}",
                if why == "failed" { why.to_owned() } else { format!("failed, {why}") }
            )
        }
        ExceptionKind::Validation => format!("{place} did not fit what was expected{code}: {message}"),
        ExceptionKind::Limit => format!("It ran into a limit: {message}"),
        ExceptionKind::Refusal => format!("The model would not answer: {message}"),
        ExceptionKind::Empty => format!("There was no answer: {message}"),
        ExceptionKind::Flag => format!("Somebody flagged it: {message}"),
        ExceptionKind::Expectation => format!("It broke what is expected of this workflow: {message}"),
        ExceptionKind::Escalation => format!("The agent handed it to a person: {message}"),
        ExceptionKind::Failure => format!("It did not do its job: {message}"),
    }
}

/// Reads the word of a class.
fn class_of(word: &str) -> Option<ErrorClass> {
    use ErrorClass::{Auth, BadRequest, Money, Other, RateLimit, Server, Timeout, Validation};
    [Auth, RateLimit, Timeout, Server, BadRequest, Validation, Money, Other].into_iter().find(|c| c.as_str() == word)
}

/// How somebody may be reached: first what the sender says of the run, then what the other side said, then what was
/// given to tools and what they answered.
fn contacts(material: &Material<'_>, said: &[Said]) -> Vec<Contact> {
    let mut found = Contacts { find: material.find_contacts, n_searched: 0, all: Vec::new() };
    for step in material.steps {
        for (key, value) in &step.attributes {
            // The key says what the value is: `customer.phone: 0170 1234567`.
            if is_of_a_person(key) {
                found.search(&format!("{key}: {value}"), || format!("sent as {key}"));
            }
        }
    }
    found.search(&material.facts.user_id, || "the user's id".to_owned());
    for said in said.iter().filter(|said| said.message.role == Role::User) {
        found.search(&said.message.text, || "said by the other side".to_owned());
    }
    for call in said.iter().flat_map(|said| &said.message.tool_calls) {
        found.search(&call.arguments, || format!("given to {}", acts::words_of(&call.name).join(" ")));
    }
    for step in material.steps.iter().filter(|step| step.kind == StepKind::Tool) {
        let name = step.tool.as_deref().unwrap_or(&step.name);
        found.search(step.output_text(), || format!("answered by {}", acts::words_of(name).join(" ")));
    }
    found.all
}

/// Whether an attribute's name says that it is of whom the run concerns, and not of the agent or its makers.
fn is_of_a_person(key: &str) -> bool {
    let key = key.to_lowercase();
    ["user", "customer", "caller", "contact", "phone", "mail", "from", "client", "lead", "guest", "patient"]
        .iter()
        .any(|word| key.contains(word))
}

struct Contacts<'a> {
    find: &'a dyn Fn(&str) -> Vec<(ContactKind, String)>,
    n_searched: usize,
    all: Vec<Contact>,
}

impl Contacts<'_> {
    fn search(&mut self, text: &str, from: impl Fn() -> String) {
        if self.all.len() >= MAX_CONTACTS || self.n_searched >= MAX_SEARCHED || text.is_empty() {
            return;
        }
        self.n_searched += 1;
        let text: String = text.chars().take(MAX_SEARCHED_CHARS).collect();
        for (kind, value) in (self.find)(&text) {
            let plain = plain_contact(&value);
            let known = self.all.iter().any(|known| known.kind == kind && plain_contact(&known.value) == plain);
            if !known && self.all.len() < MAX_CONTACTS {
                self.all.push(Contact { kind, value: cut_text(&value, 254), from: cut_text(&from(), 120) });
            }
        }
    }
}

/// What is the same in two ways of writing one address or number.
fn plain_contact(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric() || matches!(c, '@' | '.' | '+')).flat_map(char::to_lowercase).collect()
}

/// The conversation without instructions, and how many things said are left out before it.
fn lines(said: &[Said]) -> (Vec<Line>, u32) {
    let spoken = |said: &&Said| {
        said.message.role != Role::System
            && !(said.message.text.trim().is_empty() && said.message.tool_calls.is_empty())
    };
    let all: Vec<&Said> = said.iter().filter(spoken).collect();
    let from = all.len().saturating_sub(MAX_LINES);
    let line = |said: &&Said| {
        let mut text = said.message.text.trim().to_owned();
        for call in said.message.tool_calls.iter().take(8) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("[{}]", acts::call_words(&call.name, &call.arguments)));
        }
        let name = said.message.name.as_deref().filter(|_| said.message.role == Role::Tool).unwrap_or_default();
        Line {
            role: said.message.role,
            name: cut_text(&acts::words_of(name).join(" "), 120),
            text: cut_text(&text, MAX_LINE_CHARS),
        }
    };
    (all[from..].iter().map(line).collect(), u32::try_from(from).unwrap_or(u32::MAX))
}

/// Why parts are empty though the run had them.
fn note(material: &Material<'_>, said: &[Said]) -> String {
    let note = if material.steps_dropped {
        "The steps of this run are kept no longer, so what was said and done is not here."
    } else if material.facts.without_content {
        "What was said in this run is not kept, by the privacy settings of its workflow."
    } else if said.is_empty() {
        "The sender leaves out what was said."
    } else if !material.facts.masked.is_empty() {
        "Some of what was said is masked, by the privacy settings of its workflow."
    } else {
        ""
    };
    note.to_owned()
}

#[cfg(test)]
mod tests;
