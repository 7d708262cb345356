//! What a value is, as far as its writing tells.

use serde::{Deserialize, Serialize};

/// One kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A number.
    Number,
    /// A number with its unit.
    Quantity,
    /// Hexadecimal digits.
    Hex,
    /// Letters and digits: an id of some sort.
    Id,
    /// A network or hardware address.
    Address,
    /// The name of a host, or what is written like one.
    Host,
    /// A path or the name of a file.
    Path,
    /// A URL.
    Url,
    /// An e-mail address.
    Mail,
    /// A day, a month or a time.
    Time,
    /// True or false.
    Boolean,
    /// No value: null, None.
    Nothing,
    /// What stands in quotes.
    Quoted,
    /// A single letter.
    Letter,
    /// A name with dots in it: a package, a class.
    Name,
    /// A word in the place of a value.
    Word,
    /// Several values in a row.
    List,
    /// What stands in braces, with keys of its own.
    Object,
}

const KINDS: [(Kind, &str); 18] = [
    (Kind::Number, "number"),
    (Kind::Quantity, "quantity"),
    (Kind::Hex, "hex"),
    (Kind::Id, "id"),
    (Kind::Address, "address"),
    (Kind::Host, "host"),
    (Kind::Path, "path"),
    (Kind::Url, "url"),
    (Kind::Mail, "mail"),
    (Kind::Time, "time"),
    (Kind::Boolean, "boolean"),
    (Kind::Nothing, "nothing"),
    (Kind::Quoted, "quoted"),
    (Kind::Letter, "letter"),
    (Kind::Name, "name"),
    (Kind::Word, "word"),
    (Kind::List, "list"),
    (Kind::Object, "object"),
];

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("value", |(_, word)| word)
    }
}

/// The kinds of value that were seen in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kinds(u32);

impl Kinds {
    /// The set of one kind.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self(1 << kind as u32)
    }

    /// The set with one kind more.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u32)
    }

    /// What is in one of two sets.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a kind is in the set.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// The kinds in the set.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        KINDS.into_iter().map(|(kind, _)| kind).filter(move |kind| self.has(*kind))
    }

    /// The words for the kinds, as in “number, address”.
    #[must_use]
    pub fn words(self) -> String {
        let words: Vec<&str> = self.iter().map(Kind::word).collect();
        words.join(", ")
    }
}
