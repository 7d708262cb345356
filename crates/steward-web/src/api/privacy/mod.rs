//! What is kept of what was said, where a workflow chooses nothing of its own.

pub(crate) mod get;
pub(crate) mod update;

use serde::{Deserialize, Serialize};
use steward_core::privacy::{Content, MaskKind, Privacy};
use utoipa::ToSchema;

/// What is kept of what was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Privacy)]
pub(crate) struct PrivacyJson {
    /// How much is kept.
    content: ContentWord,
    /// Kinds that are left as they are where the rest is masked.
    spared: Vec<MaskWord>,
    /// Words that are masked, whole and in any case.
    words: Vec<String>,
}

/// How much of what was said is kept: everything; everything, masked; only structure.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContentWord {
    Full,
    Masked,
    None,
}

/// What can be masked.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MaskWord {
    Email,
    Phone,
    Card,
    Iban,
    Secret,
    Word,
}

impl From<ContentWord> for Content {
    fn from(word: ContentWord) -> Self {
        match word {
            ContentWord::Full => Self::Full,
            ContentWord::Masked => Self::Masked,
            ContentWord::None => Self::None,
        }
    }
}

impl From<Content> for ContentWord {
    fn from(content: Content) -> Self {
        match content {
            Content::Full => Self::Full,
            Content::Masked => Self::Masked,
            Content::None => Self::None,
        }
    }
}

impl From<MaskWord> for MaskKind {
    fn from(word: MaskWord) -> Self {
        match word {
            MaskWord::Email => Self::Email,
            MaskWord::Phone => Self::Phone,
            MaskWord::Card => Self::Card,
            MaskWord::Iban => Self::Iban,
            MaskWord::Secret => Self::Secret,
            MaskWord::Word => Self::Word,
        }
    }
}

impl From<MaskKind> for MaskWord {
    fn from(kind: MaskKind) -> Self {
        match kind {
            MaskKind::Email => Self::Email,
            MaskKind::Phone => Self::Phone,
            MaskKind::Card => Self::Card,
            MaskKind::Iban => Self::Iban,
            MaskKind::Secret => Self::Secret,
            MaskKind::Word => Self::Word,
        }
    }
}

impl From<Privacy> for PrivacyJson {
    fn from(privacy: Privacy) -> Self {
        Self {
            content: privacy.content().into(),
            spared: privacy.spared.into_iter().map(MaskWord::from).collect(),
            words: privacy.words,
        }
    }
}
