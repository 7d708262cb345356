//! What people said of groups: that two are one, or that some shapes are a group of their own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::keys::Key;

/// What people said of groups. It is kept by whoever asks, and outlives every mining.
///
/// Both tables name shapes, whose keys stay when templates become wider. Keys of shapes that are not there are of no
/// effect. Splits go before merges: shapes that were set apart are only merged with what names one of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    /// Pairs of shapes whose groups are one.
    pub together: BTreeSet<(Key, Key)>,
    /// Shapes that are set apart from what they were found with, and the name of the group that they make.
    pub apart: BTreeMap<Key, String>,
}

impl Overrides {
    /// Says that the groups of two shapes are one.
    pub fn keep_together(&mut self, one: Key, other: Key) {
        if one != other {
            self.together.insert((one.min(other), one.max(other)));
        }
    }

    /// Says that shapes are a group of their own, under a name that tells it from other such groups.
    pub fn keep_apart(&mut self, shapes: impl IntoIterator<Item = Key>, name: &str) {
        self.apart.extend(shapes.into_iter().map(|shape| (shape, name.to_owned())));
    }
}
