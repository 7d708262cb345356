//! The handoff packet: all that a person needs to finish what the agent could not, on one screen.

use askama::Template;
use steward_core::handoff::{Contact, ContactKind, Packet};
use steward_core::step::Role;

use super::html_safe;
use super::icon::Icon;

/// A packet, as a card with a heading of the second level.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/packet.html")]
pub struct PacketCard {
    /// What is in it.
    pub packet: Packet,
    /// Shown with the conversation open.
    pub is_open: bool,
}

impl PacketCard {
    /// A card of a packet, its conversation folded.
    #[must_use]
    pub fn new(packet: Packet) -> Self {
        Self { packet, is_open: false }
    }

    /// How many things were said.
    fn n_said(&self) -> String {
        let n = self.packet.said.len() as u64 + u64::from(self.packet.n_said_before);
        crate::view::format::count(n)
    }

    /// The icon of who said something, and the name of its class.
    fn speaker(role: &Role) -> (Icon, &'static str) {
        match role {
            Role::System => (Icon::Settings, "system"),
            Role::User => (Icon::Person, "user"),
            Role::Assistant => (Icon::Agent, "assistant"),
            Role::Tool => (Icon::Tool, "tool"),
        }
    }

    /// Where a press on an address or a number leads.
    fn reach(contact: &Contact) -> String {
        match contact.kind {
            ContactKind::Email => format!("mailto:{}", contact.value),
            ContactKind::Phone => {
                let digits: String = contact.value.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
                format!("tel:{digits}")
            }
        }
    }
}

html_safe!(PacketCard);
