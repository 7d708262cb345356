//! Handing over: packets, and links to them for people without a sign-in.

pub(crate) mod create_link;
pub(crate) mod get_packet;
pub(crate) mod list_links;
pub(crate) mod revoke_link;

use serde::Serialize;
use steward_app::handoff::Packet;
use steward_app::tenant::{HandoffAnswer, HandoffLink};
use utoipa::ToSchema;

use super::words::{ContactWord, MissingWord, SpeakerWord};

/// What a person needs to finish what the agent could not. Nothing in it is written by a model: it is what the run holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffPacket)]
pub(crate) struct PacketJson {
    /// The first thing that the other side said; empty when the run does not say.
    asked_first: String,
    /// The last thing that it said; empty when that is the first, or there is none.
    asked_last: String,
    /// What the agent did, in order; the last ones.
    acts: Vec<ActJson>,
    /// Acts before those, which are left out.
    n_acts_before: u32,
    /// Why it stopped.
    stopped: String,
    /// What is missing; empty when the run does not say.
    missing: Vec<MissingJson>,
    /// The end user, by the sender's id; empty when not said.
    user_id: String,
    /// How to reach whoever is affected, as far as the run holds it and privacy settings kept it.
    contacts: Vec<ContactJson>,
    /// What worked for the same pattern before, the most used first.
    worked: Vec<WorkedJson>,
    /// The conversation without instructions; the last things said.
    said: Vec<LineJson>,
    /// Things said before those, which are left out.
    n_said_before: u32,
    /// Why parts of it are empty though the run had them; empty when they are not.
    note: String,
}

/// Something that the agent did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffAct)]
pub(crate) struct ActJson {
    /// What, in words.
    #[schema(example = "looked up order 4711: found")]
    words: String,
    /// Whether it went wrong.
    failed: bool,
    /// How often, one after the other.
    times: u32,
}

/// Something that is missing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffMissing)]
pub(crate) struct MissingJson {
    /// What sort of thing.
    kind: MissingWord,
    /// What, in words.
    words: String,
}

/// An e-mail address or a telephone number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffContact)]
pub(crate) struct ContactJson {
    /// What it is.
    kind: ContactWord,
    /// The address or the number.
    value: String,
    /// Where the run holds it.
    from: String,
}

/// What people did about the same pattern before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffWorked)]
pub(crate) struct WorkedJson {
    /// What they did.
    resolution: String,
    /// How often.
    n: u32,
    /// When last.
    #[schema(format = DateTime)]
    last_at: String,
}

/// Something that was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffLine)]
pub(crate) struct LineJson {
    /// Who said it.
    role: SpeakerWord,
    /// The tool, where one answered; else empty.
    name: String,
    /// What was said, or which tools were called.
    text: String,
}

impl From<Packet> for PacketJson {
    fn from(packet: Packet) -> Self {
        Self {
            asked_first: packet.asked_first,
            asked_last: packet.asked_last,
            acts: packet
                .acts
                .into_iter()
                .map(|act| ActJson { words: act.words, failed: act.failed, times: act.times })
                .collect(),
            n_acts_before: packet.n_acts_before,
            stopped: packet.stopped,
            missing: packet
                .missing
                .into_iter()
                .map(|missing| MissingJson { kind: missing.kind.into(), words: missing.words })
                .collect(),
            user_id: packet.user_id,
            contacts: packet
                .contacts
                .into_iter()
                .map(|contact| ContactJson { kind: contact.kind.into(), value: contact.value, from: contact.from })
                .collect(),
            worked: packet
                .worked
                .into_iter()
                .map(|worked| WorkedJson {
                    resolution: worked.resolution,
                    n: worked.n,
                    last_at: worked.last_at.rfc3339(),
                })
                .collect(),
            said: packet
                .said
                .into_iter()
                .map(|line| LineJson { role: line.role.into(), name: line.name, text: line.text })
                .collect(),
            n_said_before: packet.n_said_before,
            note: packet.note,
        }
    }
}

/// A link by which somebody without a sign-in reads one packet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffLink)]
pub(crate) struct LinkJson {
    /// Its id.
    #[schema(example = "lnk_01930000000070008000000000000001")]
    id: String,
    /// The exception.
    exception_id: String,
    /// For whom, in words; empty when nobody said.
    made_for: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Who made it.
    created_by: String,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was revoked.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// When it was last opened.
    #[schema(format = DateTime)]
    opened_at: Option<String>,
    /// How often it was opened.
    n_opened: i64,
}

impl From<HandoffLink> for LinkJson {
    fn from(link: HandoffLink) -> Self {
        Self {
            id: link.id.to_string(),
            exception_id: link.exception_id.to_string(),
            made_for: link.made_for,
            created_at: link.created_at.rfc3339(),
            created_by: link.created_by,
            expires_at: link.expires_at.rfc3339(),
            revoked_at: link.revoked_at.map(|at| at.rfc3339()),
            opened_at: link.opened_at.map(|at| at.rfc3339()),
            n_opened: link.n_opened,
        }
    }
}

/// What somebody who came by a link says that they did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffAnswer)]
pub(crate) struct AnswerJson {
    /// The link.
    link_id: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The name that they gave.
    name: String,
    /// What they did; empty when they did not say.
    resolution: String,
}

impl From<HandoffAnswer> for AnswerJson {
    fn from(answer: HandoffAnswer) -> Self {
        Self {
            link_id: answer.link_id.to_string(),
            at: answer.at.rfc3339(),
            name: answer.name,
            resolution: answer.resolution,
        }
    }
}
