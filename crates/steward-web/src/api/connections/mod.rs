//! Connections: by what a workflow's runs come.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod rotate;

use serde::{Deserialize, Serialize};
use steward_app::connections::{ConnectionSettings, MadeConnection, PollSettings};
use steward_app::secrets::Secret;
use steward_app::tenant::Connection;
use utoipa::ToSchema;

/// By what a workflow's runs come. Its secrets were shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ConnectionJson {
    /// Its id.
    #[schema(example = "con_01930000000070008000000000000001")]
    id: String,
    /// The workflow.
    workflow_id: String,
    /// What sends: `vapi`, `otel_python`, `beat` and others.
    source: String,
    /// What people call it.
    name: String,
    /// How its platform is asked for what webhooks lost; null when it is not.
    poll: Option<PollJson>,
    /// How often a sign of life is expected, in minutes; null for what gives none.
    beat_every_minutes: Option<u32>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When its secret was last changed.
    #[schema(format = DateTime)]
    rotated_at: Option<String>,
    /// When something came by it last, to some seconds.
    #[schema(format = DateTime)]
    last_event_at: Option<String>,
    /// When a look at its platform last came to its end.
    #[schema(format = DateTime)]
    polled_at: Option<String>,
    /// Why the last request to its platform failed; null when it did not.
    poll_error: Option<String>,
    /// Runs that its platform listed in the last look.
    n_listed: i64,
    /// Of these, runs that Steward had before.
    n_known: i64,
    /// Runs in all that webhooks lost and asking found.
    n_found: i64,
}

impl From<Connection> for ConnectionJson {
    fn from(connection: Connection) -> Self {
        let told = |at: Option<steward_core::time::Timestamp>| at.map(|at| at.rfc3339());
        let poll = connection.poll;
        Self {
            id: connection.id.to_string(),
            workflow_id: connection.workflow_id.to_string(),
            source: connection.source,
            name: connection.name,
            poll: connection.settings.poll.map(PollJson::from),
            beat_every_minutes: connection.settings.beat_every_minutes,
            created_at: connection.created_at.rfc3339(),
            rotated_at: told(connection.rotated_at),
            last_event_at: told(connection.last_event_at),
            polled_at: told(poll.polled_at),
            poll_error: poll.error,
            n_listed: poll.n_listed,
            n_known: poll.n_known,
            n_found: poll.n_found,
        }
    }
}

/// How a platform is asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ConnectionPoll)]
#[serde(deny_unknown_fields)]
pub(crate) struct PollJson {
    /// Where its API is; empty takes the platform's own.
    #[serde(default)]
    base_url: String,
    /// The agent, assistant, workflow or scenario that is asked for; empty for all.
    #[serde(default)]
    subject: String,
    /// How often it is asked, in minutes.
    #[schema(minimum = 5, maximum = 1440)]
    every_minutes: u32,
}

impl From<PollSettings> for PollJson {
    fn from(poll: PollSettings) -> Self {
        let PollSettings { base_url, subject, every_minutes } = poll;
        Self { base_url, subject, every_minutes }
    }
}

/// A connection with what is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeConnection)]
pub(crate) struct MadeConnectionJson {
    /// The connection.
    connection: ConnectionJson,
    /// The key that its source sends with; null for what has an address of its own.
    key: Option<String>,
    /// The address that its platform calls; null for what sends with a key.
    url: Option<String>,
    /// The secret that was made for its platform; null where the platform brings its own.
    secret: Option<String>,
}

impl From<MadeConnection> for MadeConnectionJson {
    fn from(made: MadeConnection) -> Self {
        let shown = |secret: Option<Secret>| secret.map(|secret| secret.reveal().to_owned());
        Self { connection: made.connection.into(), key: shown(made.key), url: made.url, secret: shown(made.secret) }
    }
}

fn settings(poll: Option<PollJson>, beat_every_minutes: Option<u32>) -> ConnectionSettings {
    let poll =
        poll.map(|PollJson { base_url, subject, every_minutes }| PollSettings { base_url, subject, every_minutes });
    ConnectionSettings { poll, beat_every_minutes }
}

fn secret(text: Option<String>) -> Option<Secret> {
    text.map(|text| Secret::sent(&text))
}
