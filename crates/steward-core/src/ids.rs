//! Ids: UUIDv7 values, each thing with a type of its own, shown with a prefix (`run_…`, `wf_…`).
//!
//! Core never makes an id: callers bring them, so tests and rebuilds are repeatable.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_ and 32 hexadecimal digits")]
pub struct NotAnId {
    /// The prefix that was expected, without the underscore.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix that the id is shown with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a raw UUID.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }

            /// The raw UUID.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or(NotAnId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// Whoever operates agents: the tenant.
    AgencyId = "ag";
    /// Somebody who signs in.
    PersonId = "pe";
    /// A business that an agency works for.
    ClientId = "cl";
    /// One agent system attached to one business process of one client.
    WorkflowId = "wf";
    /// One execution of a workflow.
    RunId = "run";
    /// Something in a run that a person should look at.
    ExceptionId = "exc";
    /// Exceptions that are the same problem.
    PatternId = "pat";
    /// What is prepared to cure a pattern.
    DraftId = "dra";
    /// Something that waits for a person in the queue.
    ItemId = "item";
    /// A person's handling of one item of the queue.
    ReviewId = "rev";
    /// One judgement on all open items of a pattern.
    BulkId = "bulk";
    /// An API key.
    KeyId = "key";
    /// A link by which a handoff packet is read without signing in.
    LinkId = "lnk";
    /// What somebody did who came by such a link.
    AnswerId = "ans";
    /// Where handoff packets are sent.
    ChannelId = "chn";
    /// A handoff packet that is sent somewhere.
    DeliveryId = "dlv";
    /// A connection of a workflow to what sends its runs.
    ConnectionId = "con";
    /// A report of a period to a client.
    ReportId = "rep";
    /// An entry of the inbox.
    InboxId = "in";
    /// A job.
    JobId = "job";
    /// A signed-in session.
    SessionId = "ses";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = RunId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "run_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse::<RunId>(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let text = ClientId::from_uuid(Uuid::from_u128(7)).to_string();
        assert!(text.parse::<RunId>().is_err());
        assert!("run_7".parse::<RunId>().is_err());
        assert!("run_zz000000000000000000000000000007".parse::<RunId>().is_err());
    }
}
