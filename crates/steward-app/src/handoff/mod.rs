//! Handing over: the packet of an exception, links to it for people without a sign-in, and where it is sent.
//!
//! Invariant: whoever comes by a link reads the packet of its one exception and nothing else: no money, no other
//! client's anything, and nothing of the run that is not in the packet.

mod channels;
mod links;
mod packet;
mod send;
mod words;

pub use channels::{ChannelChanges, ChannelChoice, ChannelScope, MAX_PER_HOUR, MadeChannel, NewChannel, PER_HOUR};
pub use links::{LINK_DAYS, MAX_LINK_DAYS, MAX_NAME_CHARS, MAX_RESOLUTION_CHARS, MadeLink, OpenedLink};
pub use send::{Mail, Parcel};
pub use steward_core::handoff::Packet;
pub use steward_store::tenant::ChannelKind;
