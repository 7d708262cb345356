//! How a workflow is connected to what sends its runs: what of it can be set.

use serde::{Deserialize, Serialize};

/// What of a connection can be set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionSettings {
    /// How its platform is asked for what webhooks lost; `None` does not ask.
    pub poll: Option<PollSettings>,
    /// How often a sign of life is expected, in minutes; `None` for what gives none.
    pub beat_every_minutes: Option<u32>,
}

/// How a platform is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PollSettings {
    /// Where its API is; empty takes the platform's own.
    pub base_url: String,
    /// The part of the account that is asked for: an agent, assistant, workflow or scenario; empty for all.
    pub subject: String,
    /// How often it is asked, in minutes.
    pub every_minutes: u32,
}

impl Default for PollSettings {
    fn default() -> Self {
        Self { base_url: String::new(), subject: String::new(), every_minutes: 15 }
    }
}
