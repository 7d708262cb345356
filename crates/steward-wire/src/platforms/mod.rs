//! What voice and automation platforms send: webhooks, and pages of their APIs, into steps.
//!
//! One file a platform. A platform tells of one call or execution several times: that it goes on, that it ended, what
//! it came to, and once more when it is asked later. All of it becomes one run with the same ids in whatever order it
//! arrives: each step says in [`Reading::phase`](steward_core::step::Reading::phase) how far along its sender was,
//! and the later phase stays.
//!
//! Invariant: what is read is a pure function of the delivery, the time at which it was received included, which the
//! inbox keeps. An event that is known to tell nothing of a run makes no steps; one that nobody knows is refused in
//! words. What a reader does not understand is named in the step's reading, and the raw bytes stay in the inbox.
//!
//! Money becomes nano-US-dollars. Vapi, ElevenLabs (`cost_fiat`), LangGraph and events tell dollars, Retell cents.
//! What is told in credits only (ElevenLabs, Make) is reckoned at a list price and marked as an estimate, and the
//! credits themselves stay among the attributes.

mod elevenlabs;
mod ends;
mod event;
mod langgraph;
mod lean;
mod make;
mod n8n;
mod poll;
mod report;
mod retell;
pub mod signature;
mod twilio;
mod vapi;
mod zapier;

use serde_json::Value;
use steward_core::step::Step;
use steward_core::time::Timestamp;

pub use self::ends::{EndClass, Ending, read_reason, says_money};
pub use self::poll::{
    Account, Detail, HttpRequest, Method, Page, items_of_page, list_request, payload_of_detail, read_detail, read_page,
};
pub use self::report::attributes;
pub use self::signature::{new_standard_secret, sign_standard};
use crate::fields::{MASKED, masked_of};
use crate::{Decoded, WireError, nul};

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// Vapi: calls and chats.
    Vapi,
    /// Retell: calls and chats.
    Retell,
    /// ElevenLabs Agents: conversations.
    ElevenLabs,
    /// n8n: the error workflow, and executions.
    N8n,
    /// Make: executions of scenarios.
    Make,
    /// Zapier: runs of Zaps.
    Zapier,
    /// LangGraph Platform: runs of graphs.
    LangGraph,
    /// Twilio: the status of calls.
    Twilio,
    /// Anything else, by an event of Steward's own form.
    Event,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 9] = [
        Self::Vapi,
        Self::Retell,
        Self::ElevenLabs,
        Self::N8n,
        Self::Make,
        Self::Zapier,
        Self::LangGraph,
        Self::Twilio,
        Self::Event,
    ];

    /// The word for it, as it stands in addresses and as the dialect of its steps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vapi => "vapi",
            Self::Retell => "retell",
            Self::ElevenLabs => "elevenlabs",
            Self::N8n => "n8n",
            Self::Make => "make",
            Self::Zapier => "zapier",
            Self::LangGraph => "langgraph",
            Self::Twilio => "twilio",
            Self::Event => "event",
        }
    }

    /// Reads the word. `None` for anything else.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == word)
    }

    /// The name, as shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vapi => "Vapi",
            Self::Retell => "Retell",
            Self::ElevenLabs => "ElevenLabs",
            Self::N8n => "n8n",
            Self::Make => "Make",
            Self::Zapier => "Zapier",
            Self::LangGraph => "LangGraph",
            Self::Twilio => "Twilio",
            Self::Event => "another source",
        }
    }

    /// Whether its ids are its own only inside one installation or account: execution 231 is in every n8n.
    #[must_use]
    pub const fn has_local_ids(self) -> bool {
        matches!(self, Self::N8n | Self::Make)
    }
}

/// One delivery, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The HTTP method: `POST`.
    pub method: &'a str,
    /// The address as the platform knows it, with scheme, host and query. Twilio signs it.
    pub url: &'a str,
    /// The headers; those whose values are no text are left out.
    pub headers: &'a [(&'a str, &'a str)],
    /// The bytes of the body, as they came.
    pub body: &'a [u8],
    /// When it was received. It stands in for times that a platform does not send.
    pub received_at: Timestamp,
    /// What tells this sender's ids from those of another of the same platform, where they are local
    /// ([`Platform::has_local_ids`]): the connection's id. The same for its webhooks and for its poller.
    pub scope: &'a str,
}

impl<'a> Delivery<'a> {
    /// Finds a header by its name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// What a reader knows besides the event.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    platform: Platform,
    scope: &'a str,
    received_at: Timestamp,
}

/// The most events of one body that are read.
const MAX_EVENTS: usize = 10_000;

const NO_EVENT: &str = "an event is an object, or a list of objects";

/// Reads a delivery, which must be verified. A bad event among others is refused with its place.
///
/// # Errors
///
/// When the body is not at all what the platform sends.
pub fn read(platform: Platform, delivery: &Delivery<'_>) -> Result<Decoded, WireError> {
    let context = Context { platform, scope: delivery.scope, received_at: delivery.received_at };
    if platform == Platform::Event {
        return event::read(delivery.body, context);
    }
    let value = match platform {
        Platform::Twilio => twilio::parse(delivery.body)?,
        Platform::Vapi => vapi::LEAN.read(delivery.body)?,
        Platform::Retell => retell::LEAN.read(delivery.body)?,
        Platform::ElevenLabs => elevenlabs::LEAN.read(delivery.body)?,
        Platform::N8n => n8n::LEAN.read(delivery.body)?,
        _ => lean::Lean::default().read(delivery.body)?,
    };
    let events = match value {
        Value::Array(events) => events,
        object @ Value::Object(_) => vec![object],
        _ => return Err(WireError::Shape(NO_EVENT)),
    };
    Ok(read_events(context, events))
}

/// Reads events one by one.
fn read_events(context: Context<'_>, events: Vec<Value>) -> Decoded {
    let mut decoded = Decoded::default();
    for (place, event) in events.into_iter().enumerate() {
        if place >= MAX_EVENTS {
            decoded.reject("only the first 10,000 events were read");
            break;
        }
        match read_event(context, event) {
            Ok(mut steps) => decoded.steps.append(&mut steps),
            Err(reason) => decoded.reject(&format!("event {place}: {reason}")),
        }
    }
    decoded.steps.iter_mut().for_each(nul::replace_in);
    decoded
}

fn read_event(context: Context<'_>, mut event: Value) -> Result<Vec<Step>, String> {
    let masked = event.as_object_mut().and_then(|object| object.remove(MASKED)).map(masked_of);
    let n_members = lean::n_members(&event);
    let Value::Object(object) = event else { return Err("it is not an object".to_owned()) };
    let mut steps = match context.platform {
        Platform::Vapi => vapi::read(object, context),
        Platform::Retell => retell::read(object, context),
        Platform::ElevenLabs => elevenlabs::read(object, context),
        Platform::N8n => n8n::read(object, context),
        Platform::Make => make::read(object, context),
        Platform::Zapier => zapier::read(object, context),
        Platform::LangGraph => langgraph::read(object, context),
        Platform::Twilio => twilio::read(object, context),
        Platform::Event => event::read_one(object, context),
    }?;
    // An event and a native run of one id stand on one step: the one that says more.
    for step in steps.iter_mut().filter(|_| context.platform != Platform::Event) {
        step.reading.n_attributes = n_members;
    }
    if let (Some(first), Some(masked)) = (steps.first_mut(), masked) {
        first.reading.masked = masked;
    }
    Ok(steps)
}

/// The events of a verified delivery as they came, each by itself.
///
/// # Errors
///
/// When the body is not at all what the platform sends.
pub(crate) fn events_of(platform: Platform, body: &[u8]) -> Result<Vec<Value>, WireError> {
    let value = match platform {
        Platform::Twilio => twilio::parse(body)?,
        Platform::Event => Value::Array(event::events_of(body)?),
        _ => lean::Lean::default().read(body)?,
    };
    match value {
        Value::Array(events) => Ok(events),
        object @ Value::Object(_) => Ok(vec![object]),
        _ => Err(WireError::Shape(NO_EVENT)),
    }
}

/// Reads one event of those of [`events_of`].
pub(crate) fn read_one(platform: Platform, delivery: &Delivery<'_>, event: Value) -> Result<Vec<Step>, String> {
    let context = Context { platform, scope: delivery.scope, received_at: delivery.received_at };
    let mut steps = read_event(context, event)?;
    steps.iter_mut().for_each(nul::replace_in);
    Ok(steps)
}

/// Under which names a platform tells what its end users are known by, where that is no id: the name of a member, and
/// of the member around it (`"*"` anywhere).
pub(crate) const fn user_keys(platform: Platform) -> &'static [(&'static str, &'static str)] {
    match platform {
        Platform::Vapi => &[("customer", "number"), ("customer", "sipUri"), ("phoneNumber", "number")],
        Platform::Retell => &[("*", "from_number"), ("*", "to_number"), ("*", "user_number")],
        Platform::ElevenLabs => &[("*", "external_number"), ("*", "agent_number")],
        Platform::Twilio => &[("*", "From"), ("*", "To"), ("*", "from"), ("*", "to")],
        Platform::N8n | Platform::Make | Platform::Zapier | Platform::LangGraph | Platform::Event => &[],
    }
}
