//! People who sign in, and what each role may do.

use serde::{Deserialize, Serialize};

/// A person's role in an agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, people and keys included.
    Owner,
    /// Everything but people.
    Operator,
    /// Assigned clients only, and no money.
    Contractor,
    /// One client's portal only.
    Client,
}

impl Role {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Contractor => "contractor",
            Self::Client => "client",
        }
    }

    /// Reads the word. `None` for anything else.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Owner, Self::Operator, Self::Contractor, Self::Client].into_iter().find(|role| role.as_str() == word)
    }

    /// May invite, change and remove people.
    #[must_use]
    pub const fn manages_people(self) -> bool {
        matches!(self, Self::Owner)
    }

    /// May change clients, workflows, rules, keys, prices and reports.
    #[must_use]
    pub const fn operates(self) -> bool {
        matches!(self, Self::Owner | Self::Operator)
    }

    /// May see costs, values and prices.
    #[must_use]
    pub const fn sees_money(self) -> bool {
        matches!(self, Self::Owner | Self::Operator)
    }

    /// Sees only the clients that they are assigned to.
    #[must_use]
    pub const fn is_limited_to_clients(self) -> bool {
        matches!(self, Self::Contractor | Self::Client)
    }
}
