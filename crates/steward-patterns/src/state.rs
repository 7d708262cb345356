//! What a miner remembers, for storing.

use serde::{Deserialize, Serialize};

use crate::kinds::Kinds;
use crate::miner::{Example, Shape, SlotStats};
use crate::scan::{MAX_SIGNATURE_BYTES, MAX_SLOTS, VALUE};

/// The version of what is stored, and of the way in which messages are read.
///
/// Messages that are read in another way have other signatures, so a state of another version is of no use: the
/// messages are read again.
pub const STATE_VERSION: u32 = 1;

/// What a miner remembers. Equal sets of messages give equal states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub(crate) version: u32,
    pub(crate) n_messages: u64,
    pub(crate) was_full: bool,
    pub(crate) other: ShapeState,
    pub(crate) shapes: Vec<ShapeState>,
}

/// One shape, for storing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShapeState {
    pub(crate) signature: String,
    count: u64,
    slots: Vec<(Kinds, u64, bool)>,
    examples: Vec<(u64, String)>,
}

/// Why a state cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StateError {
    /// Another version wrote it. Read the messages again.
    #[error("the state is of version {found} and not of version {STATE_VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It is none that this crate wrote. Read the messages again.
    #[error("the state is damaged")]
    Corrupt,
}

/// A signature ends behind its limit by at most one piece and the mark of the rest.
const MAX_STORED_SIGNATURE: usize = 4 * MAX_SIGNATURE_BYTES;
const MAX_STORED_EXAMPLES: usize = 64;

impl ShapeState {
    pub(crate) fn of(shape: &Shape) -> Self {
        Self {
            signature: String::from_utf8_lossy(&shape.signature).into_owned(),
            count: shape.count,
            slots: shape.slots.iter().map(|slot| (slot.kinds, slot.seen, slot.is_column)).collect(),
            examples: shape.examples.iter().map(|example| (example.hash, example.text.clone())).collect(),
        }
    }

    pub(crate) fn into_shape(self, index: u32) -> Result<Shape, StateError> {
        let n_values = self.signature.bytes().filter(|byte| *byte == VALUE).count().min(MAX_SLOTS);
        let is_sound = self.signature.len() <= MAX_STORED_SIGNATURE
            && self.slots.len() == n_values
            && self.examples.len() <= MAX_STORED_EXAMPLES
            && self.examples.is_sorted();
        if !is_sound {
            return Err(StateError::Corrupt);
        }
        Ok(Shape {
            signature: self.signature.into_bytes().into(),
            count: self.count,
            slots: self
                .slots
                .into_iter()
                .map(|(kinds, seen, is_column)| SlotStats { kinds, seen, is_column })
                .collect(),
            examples: self.examples.into_iter().map(|(hash, text)| Example { hash, text }).collect(),
            folded_into: index,
        })
    }
}
