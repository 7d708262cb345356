//! Channels: where handoff packets are sent.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod test;
pub(crate) mod update;

use serde::{Deserialize, Serialize};
use steward_app::handoff::{ChannelChoice, LINK_DAYS, PER_HOUR};
use steward_app::tenant::{Channel, DeliveryCounts};
use utoipa::ToSchema;

use super::words::{ChannelKindWord, ExceptionKindWord};

/// Which exceptions a channel sends, and how.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ChannelChoice)]
pub(crate) struct ChoiceJson {
    /// Only these sorts; empty for all.
    kinds: Vec<ExceptionKindWord>,
    /// Only with at least so much at stake, in billionths of the client's currency; 0 for all.
    #[schema(minimum = 0)]
    least_value_nanos: i64,
    /// Packets an hour; what is more comes in one digest in the next hour.
    #[schema(minimum = 1, maximum = 1000)]
    per_hour: u32,
    /// Days after which the link in a packet ends.
    #[schema(minimum = 1, maximum = 90)]
    link_days: u32,
}

impl Default for ChoiceJson {
    fn default() -> Self {
        Self { kinds: Vec::new(), least_value_nanos: 0, per_hour: PER_HOUR, link_days: LINK_DAYS }
    }
}

impl From<ChoiceJson> for ChannelChoice {
    fn from(json: ChoiceJson) -> Self {
        Self {
            kinds: json.kinds.into_iter().map(Into::into).collect(),
            least_value_nanos: json.least_value_nanos,
            per_hour: json.per_hour,
            link_days: json.link_days,
        }
    }
}

/// Where packets are sent, which, and whether they arrive.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub(crate) struct ChannelJson {
    /// Its id.
    #[schema(example = "chn_01930000000070008000000000000001")]
    id: String,
    /// The client whose workflows it is for; null for one of a single workflow.
    client_id: Option<String>,
    /// The one workflow that it is for; null for one of a client.
    workflow_id: Option<String>,
    /// By what.
    kind: ChannelKindWord,
    /// What people call it.
    name: String,
    /// Where to, without what is secret of it.
    #[schema(example = "https://hooks.slack.com/…")]
    to: String,
    /// Which exceptions, and how.
    choice: ChoiceJson,
    /// When it was made; nothing from before is sent.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was paused; null while it sends.
    #[schema(format = DateTime)]
    paused_at: Option<String>,
    /// When something was last sent.
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    /// Why sending failed last; null when it did not.
    error: Option<String>,
    /// When it failed last.
    #[schema(format = DateTime)]
    failed_at: Option<String>,
    /// Packets that wait.
    n_waiting: u64,
    /// Packets that were sent.
    n_sent: u64,
    /// Packets that were given up after eight tries.
    n_dead: u64,
    /// Packets that were not sent, since their workflow or client was archived before.
    n_archived: u64,
}

impl From<(Channel, DeliveryCounts)> for ChannelJson {
    fn from((channel, counts): (Channel, DeliveryCounts)) -> Self {
        Self {
            id: channel.id.to_string(),
            client_id: channel.client_id.map(|id| id.to_string()),
            workflow_id: channel.workflow_id.map(|id| id.to_string()),
            kind: channel.kind.into(),
            name: channel.name,
            to: channel.shown,
            choice: ChoiceJson {
                kinds: channel.kinds.into_iter().map(Into::into).collect(),
                least_value_nanos: channel.least_value_nanos,
                per_hour: u32::try_from(channel.per_hour).unwrap_or(PER_HOUR),
                link_days: u32::try_from(channel.link_days).unwrap_or(LINK_DAYS),
            },
            created_at: channel.created_at.rfc3339(),
            paused_at: channel.paused_at.map(|at| at.rfc3339()),
            sent_at: channel.sent_at.map(|at| at.rfc3339()),
            error: channel.error,
            failed_at: channel.failed_at.map(|at| at.rfc3339()),
            n_waiting: counts.waiting,
            n_sent: counts.sent,
            n_dead: counts.dead,
            n_archived: counts.archived,
        }
    }
}
