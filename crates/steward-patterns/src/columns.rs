//! Which shapes are one template: words that differ in one place, where a value is likelier than a word of the message.
//!
//! A pure function of the set of shapes and their counts. Shapes that are the same but for one place make a column; a
//! column becomes a value when what stands around it says so (`user …`, `(…)`, `for …`), when values stand in it
//! already, or when more different words stand in it than a message has ways to put things. A place where few words
//! stand that are of a closed class, that are written in capitals, or that begin a sentence is what tells templates
//! apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::scan::VALUE;
use crate::shape::units;
use crate::words;

/// Why words that differ were taken for values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// A noun before it is followed by a name: `user …`.
    Named {
        /// The noun.
        noun: String,
    },
    /// It stands alone in brackets.
    Bracketed,
    /// Values stand in this place as well, or words that are values elsewhere.
    AlsoValues,
    /// It follows a preposition, and the words are many or written like names.
    Behind {
        /// The preposition.
        preposition: String,
    },
    /// The words are written like names: with capitals, dots, dashes or underscores inside.
    LikeNames,
    /// More different words than a message has ways to put things.
    Many,
}

/// A place of a template where different words stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) because: Because,
    /// Some of the words: those that came most often.
    pub(crate) words: Vec<String>,
}

/// One template and the shapes under it.
#[derive(Debug, Clone)]
pub(crate) struct Mined {
    /// Indexes into the shapes that were given.
    pub(crate) members: Vec<usize>,
    pub(crate) signature: Vec<u8>,
    /// By the place of the value in the signature.
    pub(crate) columns: BTreeMap<usize, Column>,
}

/// How many words of a column are kept to be shown.
const WORDS_SHOWN: usize = 5;
/// After so many rounds whatever is left stays apart. Each round that goes on merges something.
const MAX_ROUNDS: usize = 64;
/// In longer shapes only so many places are tried.
const MAX_PLACES: usize = 128;

const HOLE: u64 = 0x9e37_79b9_7f4a_7c15;
const BASE: u64 = 0x0000_0100_0000_01b3;

/// What is known of a word by itself.
#[derive(Debug, Clone)]
struct Entry {
    text: String,
    space: bool,
    is_word: bool,
    is_closed: bool,
    is_condition: bool,
    is_shouted: bool,
    is_like_name: bool,
}

impl Entry {
    fn new(bytes: &[u8], space: bool, is_word: bool) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let letters = || text.bytes().filter(u8::is_ascii_alphabetic);
        let inner = text.as_bytes().get(1..).unwrap_or_default();
        let is_shouted = letters().count() >= 2 && letters().all(|byte| byte.is_ascii_uppercase());
        Self {
            is_closed: words::is_closed_class(&text),
            is_condition: words::is_condition(&text),
            is_shouted,
            is_like_name: !is_shouted
                && inner.iter().any(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'.' | b'-' | b'$')),
            text,
            space,
            is_word,
        }
    }
}

#[derive(Debug, Default)]
struct Lexicon {
    ids: HashMap<(Vec<u8>, bool), u32>,
    entries: Vec<Entry>,
}

impl Lexicon {
    fn id(&mut self, bytes: &[u8], space: bool, is_word: bool) -> u32 {
        if let Some(id) = self.ids.get(&(bytes.to_vec(), space)) {
            return *id;
        }
        let id = self.entries.len() as u32;
        self.ids.insert((bytes.to_vec(), space), id);
        self.entries.push(Entry::new(bytes, space, is_word));
        id
    }

    fn is_value(&self, id: u32) -> bool {
        self.text(id).as_bytes() == [VALUE]
    }

    fn entry(&self, id: u32) -> &Entry {
        &self.entries[id as usize]
    }

    fn text(&self, id: u32) -> &str {
        &self.entry(id).text
    }
}

#[derive(Debug, Clone)]
struct Node {
    units: Vec<u32>,
    members: Vec<usize>,
    count: u64,
    columns: BTreeMap<usize, Found>,
}

/// A column while shapes are merged: words with how often they came.
#[derive(Debug, Clone)]
struct Found {
    because: Because,
    words: BTreeMap<u32, u64>,
}

/// What stands around a place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cue {
    /// A noun that a name always follows.
    SureNoun(String),
    /// A noun that a name often follows.
    Noun(String),
    Bracketed,
    /// The value of a key that tells what happened.
    Telling,
    /// `key:word`
    Colon,
    /// An infinitive or a place.
    To,
    Preposition(String),
    /// The beginning of a message or of a sentence in it.
    Start,
    Nothing,
}

/// Finds the templates of shapes, which come sorted and each once.
pub(crate) fn mine(shapes: &[(&[u8], u64)]) -> Vec<Mined> {
    let mut miner = Columns::new(shapes);
    for _ in 0..MAX_ROUNDS {
        miner.merge_equal();
        if !miner.merge_one_place() && !miner.merge_several_places() {
            break;
        }
    }
    miner.merge_equal();
    miner.finish()
}

struct Columns {
    lexicon: Lexicon,
    nodes: Vec<Option<Node>>,
    /// Words that stood where a name stands.
    names: BTreeSet<String>,
}

/// A column that was found good, waiting for its turn.
struct Candidate {
    because: Because,
    nodes: Vec<usize>,
    place: usize,
}

impl Columns {
    fn new(shapes: &[(&[u8], u64)]) -> Self {
        let mut lexicon = Lexicon::default();
        let _ = lexicon.id(&[VALUE], true, false);
        let nodes = shapes.iter().enumerate().map(|(index, (signature, count))| {
            let units = units(signature);
            let units = units.into_iter().map(|unit| {
                // A value is the same with and without white space before it; its neighbours keep theirs.
                lexicon.id(unit.bytes, unit.space, unit.is_word())
            });
            Some(Node { units: units.collect(), members: vec![index], count: *count, columns: BTreeMap::new() })
        });
        let nodes = nodes.collect();
        Self { lexicon, nodes, names: BTreeSet::new() }
    }

    fn live(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter_map(|(index, node)| node.as_ref().map(|node| (index, node)))
    }

    /// Whether a place can be part of a column: a value, or a word that may be one.
    fn may_vary(&self, unit: u32) -> bool {
        let entry = self.lexicon.entry(unit);
        self.lexicon.is_value(unit) || (entry.is_word && !entry.is_closed)
    }

    /// What a hole is hashed as: it has white space before it or not.
    fn hole(&self, unit: u32) -> u64 {
        HOLE ^ u64::from(self.lexicon.entry(unit).space)
    }

    /// Merges what became the same.
    fn merge_equal(&mut self) {
        let mut same: HashMap<&[u32], Vec<usize>> = HashMap::new();
        for (index, node) in self.live() {
            same.entry(&node.units).or_default().push(index);
        }
        let mut same: Vec<Vec<usize>> = same.into_values().filter(|nodes| nodes.len() > 1).collect();
        same.sort();
        for nodes in same {
            self.merge(&nodes, &[]);
        }
    }

    /// Merges shapes that are the same but for one place; whether any were.
    fn merge_one_place(&mut self) -> bool {
        // Each place of each shape, by the hash of the shape with a hole there.
        let mut holed: Vec<(u64, u32, u32)> = Vec::new();
        for (index, node) in self.live() {
            let mut power = 1_u64;
            let mut whole = node.units.len() as u64;
            let mut powers = Vec::with_capacity(node.units.len());
            for unit in &node.units {
                powers.push(power);
                whole = whole.wrapping_add(hash_unit(*unit).wrapping_mul(power));
                power = power.wrapping_mul(BASE);
            }
            for (place, unit) in node.units.iter().enumerate().take(MAX_PLACES) {
                if self.may_vary(*unit) {
                    let change = self.hole(*unit).wrapping_sub(hash_unit(*unit));
                    let hash = whole.wrapping_add(change.wrapping_mul(powers[place]));
                    holed.push((hash, place as u32, index as u32));
                }
            }
        }
        holed.sort_unstable();
        let mut candidates: Vec<Candidate> = holed
            .chunk_by(|one, other| (one.0, one.1) == (other.0, other.1))
            .filter(|same| same.len() > 1)
            .filter_map(|same| {
                let place = same[0].1 as usize;
                let mut nodes: Vec<usize> = same.iter().map(|(.., index)| *index as usize).collect();
                self.keep_equal(&mut nodes, place);
                if nodes.len() < 2 {
                    return None;
                }
                let because = self.judge(&nodes, place)?;
                Some(Candidate { because, nodes, place })
            })
            .collect();
        // The surest first; then the widest. Indexes follow the sorted shapes, so the order is that of the texts.
        candidates.sort_by(|a, b| {
            (&a.because, b.nodes.len(), &a.nodes, a.place).cmp(&(&b.because, a.nodes.len(), &b.nodes, b.place))
        });
        let mut any = false;
        for candidate in candidates {
            if candidate.nodes.iter().all(|index| self.nodes[*index].is_some()) {
                self.merge(&candidate.nodes, &[(candidate.place, candidate.because)]);
                any = true;
            }
        }
        any
    }

    /// Leaves those shapes that are truly the first one but for a place: hashes may meet by accident, or by intent.
    fn keep_equal(&self, nodes: &mut Vec<usize>, place: usize) {
        let Some(first) = nodes.first().and_then(|index| self.nodes[*index].as_ref()).map(|node| node.units.clone())
        else {
            return;
        };
        nodes.retain(|index| {
            self.nodes[*index].as_ref().is_some_and(|node| {
                node.units.len() == first.len()
                    && node.units[..place] == first[..place]
                    && node.units[place + 1..] == first[place + 1..]
            })
        });
    }

    /// Merges shapes that differ in several places at once, each of which looks like a name's; whether any were.
    fn merge_several_places(&mut self) -> bool {
        let mut buckets: HashMap<Vec<u64>, Vec<usize>> = HashMap::new();
        let mut holes_of: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, node) in self.live() {
            let holes: Vec<usize> = (0..node.units.len().min(MAX_PLACES))
                .filter(|place| self.may_vary(node.units[*place]) && self.looks_like_a_name(node, *place))
                .collect();
            if holes.len() < 2 {
                continue;
            }
            let mut key: Vec<u64> = node.units.iter().map(|unit| hash_unit(*unit)).collect();
            for place in &holes {
                key[*place] = self.hole(node.units[*place]);
            }
            buckets.entry(key).or_default().push(index);
            holes_of.insert(index, holes);
        }
        let mut groups: Vec<Vec<usize>> = buckets.into_values().filter(|nodes| nodes.len() > 2).collect();
        groups.sort();
        let mut any = false;
        for nodes in groups {
            let Some(first) = self.nodes[nodes[0]].as_ref() else { continue };
            let holes = holes_of.get(&nodes[0]).cloned().unwrap_or_default();
            let differing: Vec<usize> =
                holes.into_iter().filter(|place| self.words_at(&nodes, *place).len() > 1).collect();
            if differing.len() < 2 || self.n_fixed_words(first, &differing) < 2 {
                continue;
            }
            // As many different words as shapes, or nearly: names, and not ways to put things.
            let varied = differing.iter().all(|place| {
                let words = self.words_at(&nodes, *place);
                words.keys().any(|unit| self.lexicon.is_value(*unit)) || words.len() > 2
            });
            if !varied {
                continue;
            }
            let places: Vec<(usize, Because)> =
                differing.into_iter().map(|place| (place, Because::LikeNames)).collect();
            self.merge(&nodes, &places);
            any = true;
        }
        any
    }

    fn looks_like_a_name(&self, node: &Node, place: usize) -> bool {
        let unit = node.units[place];
        if self.lexicon.is_value(unit) {
            return true;
        }
        let entry = self.lexicon.entry(unit);
        match self.cue(node, place) {
            Cue::SureNoun(_) => !entry.is_condition,
            Cue::Noun(_) | Cue::Preposition(_) | Cue::To if entry.is_shouted => entry.text.len() == 3,
            Cue::Noun(_) | Cue::Preposition(_) | Cue::To | Cue::Colon | Cue::Bracketed | Cue::Nothing => {
                entry.is_like_name
            }
            Cue::Telling | Cue::Start => false,
        }
    }

    fn words_at(&self, nodes: &[usize], place: usize) -> BTreeMap<u32, u64> {
        let mut words = BTreeMap::new();
        for node in nodes.iter().filter_map(|index| self.nodes[*index].as_ref()) {
            let count = words.entry(node.units[place]).or_insert(0_u64);
            *count = count.saturating_add(node.count);
        }
        words
    }

    /// How many words of a shape are neither of a closed class nor among the places that vary.
    fn n_fixed_words(&self, node: &Node, without: &[usize]) -> usize {
        let words = node.units.iter().enumerate().filter(|(place, unit)| {
            let entry = self.lexicon.entry(**unit);
            !without.contains(place) && entry.is_word && !entry.is_closed && entry.text.len() > 1
        });
        words.count()
    }

    fn cue(&self, node: &Node, place: usize) -> Cue {
        let text = |at: usize| self.lexicon.text(node.units[at]);
        let glued = |at: usize| !self.lexicon.entry(node.units[at]).space;
        let Some(before) = place.checked_sub(1) else { return Cue::Start };
        let next = node.units.get(place + 1).map(|unit| self.lexicon.text(*unit));
        let noun_before_mark = || {
            let noun = place.checked_sub(2).map(text)?;
            words::is_sure_naming_noun(noun).then(|| Cue::SureNoun(noun.to_owned()))
        };
        match (text(before), next) {
            ("(", Some(")")) | ("[", Some("]")) | ("{", Some("}")) | ("<", Some(">")) => Cue::Bracketed,
            ("=" | "\"" | "'" | "`", _) => Cue::Telling,
            (":", _) if glued(place) => noun_before_mark().unwrap_or(Cue::Colon),
            (":", _) => noun_before_mark().unwrap_or(Cue::Start),
            (";" | "." | "!" | "?" | "|", _) => Cue::Start,
            (word, _) if words::is_sure_naming_noun(word) => Cue::SureNoun(word.to_owned()),
            (word, _) if words::is_naming_noun(word) => Cue::Noun(word.to_owned()),
            ("to" | "To", _) => Cue::To,
            (word, _) if words::is_preposition(word) => Cue::Preposition(word.to_owned()),
            _ => Cue::Nothing,
        }
    }

    /// Whether the words in one place of otherwise equal shapes are values, and why.
    fn judge(&self, nodes: &[usize], place: usize) -> Option<Because> {
        let first = self.nodes[*nodes.first()?].as_ref()?;
        let all = self.words_at(nodes, place);
        let words: Vec<(&Entry, u64)> = all
            .iter()
            .filter(|(unit, _)| !self.lexicon.is_value(**unit))
            .map(|(unit, count)| (self.lexicon.entry(*unit), *count))
            .collect();
        let n = words.len();
        let values = n < all.len();
        let n_fixed = self.n_fixed_words(first, &[place]);
        if n == 0 || n_fixed == 0 {
            return None;
        }
        let all_shouted = words.iter().all(|(entry, _)| entry.is_shouted);
        // Capitals of one length are codes (`JFK`), and not states (`RUNNING`).
        let are_codes =
            all_shouted && n >= 4 && words.iter().all(|(entry, _)| entry.text.len() == words[0].0.text.len());
        let share = |is: fn(&Entry) -> bool| words.iter().filter(|(entry, _)| is(entry)).count();
        let shouted = share(|entry| entry.is_shouted) * 2 > n && !are_codes && !values;
        let conditions = share(|entry| entry.is_condition);
        let like_names = are_codes || share(|entry| entry.is_like_name) * 4 >= n * 3;
        let total: u64 = words.iter().map(|(_, count)| *count).sum();
        let rare = words.iter().filter(|(_, count)| *count <= 1 + total / 50).count();
        let long_tail = rare * 2 >= n;
        let known = words.iter().any(|(entry, _)| self.names.contains(&entry.text));
        match self.cue(first, place) {
            Cue::SureNoun(noun) => {
                let enough = if shouted { 4 } else { 2 };
                ((values || n >= enough) && conditions * 2 < n.max(2)).then_some(Because::Named { noun })
            }
            Cue::Noun(noun) => {
                let enough = if like_names { 3 } else { 6 };
                ((values || known || n >= enough) && !shouted && conditions * 3 < n).then_some(Because::Named { noun })
            }
            Cue::Bracketed => {
                let enough = if shouted { 5 } else { 2 };
                (n_fixed > 1 && (values || n >= enough)).then_some(Because::Bracketed)
            }
            Cue::Telling => (n >= 16 && long_tail && !shouted).then_some(Because::Many),
            Cue::Preposition(preposition) if !shouted && conditions == 0 => {
                if values || known {
                    return Some(Because::AlsoValues);
                }
                let enough = if like_names { 3 } else { 6 };
                (n >= enough && (long_tail || like_names)).then_some(Because::Behind { preposition })
            }
            Cue::To if !shouted => {
                if (values || known) && conditions == 0 {
                    return Some(Because::AlsoValues);
                }
                (n >= 12 && long_tail || like_names && n >= 3).then(|| Because::Behind { preposition: "to".to_owned() })
            }
            Cue::Colon if !shouted && conditions == 0 => {
                if values {
                    return Some(Because::AlsoValues);
                }
                (like_names && n >= 3 || n >= 8 && long_tail).then_some(Because::LikeNames)
            }
            Cue::Start => {
                if values && n_fixed >= 3 && !shouted && conditions == 0 {
                    return Some(Because::AlsoValues);
                }
                (n >= 24 && long_tail && n_fixed >= 3).then_some(Because::Many)
            }
            Cue::Nothing if !shouted && conditions * 4 <= n => {
                if values && n_fixed >= 2 {
                    return Some(Because::AlsoValues);
                }
                if like_names && n >= 4 && n_fixed >= 2 {
                    return Some(Because::LikeNames);
                }
                (n >= 12 && long_tail && n_fixed >= 2).then_some(Because::Many)
            }
            _ => (n >= 24 && long_tail && n_fixed >= 2).then_some(Because::Many),
        }
    }

    /// Makes one node of several that are the same but for some places.
    fn merge(&mut self, nodes: &[usize], places: &[(usize, Because)]) {
        let found: Vec<(usize, Because, BTreeMap<u32, u64>)> =
            places.iter().map(|(place, because)| (*place, because.clone(), self.words_at(nodes, *place))).collect();
        let mut taken = nodes.iter().filter_map(|index| self.nodes[*index].take());
        let Some(mut merged) = taken.next() else { return };
        for node in taken {
            merged.members.extend(node.members);
            merged.count = merged.count.saturating_add(node.count);
            for (place, column) in node.columns {
                let into = merged
                    .columns
                    .entry(place)
                    .or_insert_with(|| Found { because: column.because.clone(), words: BTreeMap::new() });
                add(&mut into.words, column.words);
            }
        }
        for (place, because, words) in found {
            let space = self.lexicon.entry(merged.units[place]).space;
            merged.units[place] = self.lexicon.id(&[VALUE], space, false);
            let is_name = matches!(because, Because::Named { .. } | Because::Bracketed);
            let words: BTreeMap<u32, u64> =
                words.into_iter().filter(|(unit, _)| !self.lexicon.is_value(*unit)).collect();
            if is_name {
                self.names.extend(words.keys().map(|unit| self.lexicon.text(*unit).to_owned()));
            }
            let into = merged.columns.entry(place).or_insert_with(|| Found { because, words: BTreeMap::new() });
            add(&mut into.words, words);
        }
        merged.members.sort_unstable();
        self.nodes[nodes[0]] = Some(merged);
    }

    fn finish(self) -> Vec<Mined> {
        let lexicon = &self.lexicon;
        let mined = self.nodes.iter().flatten().map(|node| {
            let mut signature = Vec::new();
            let mut columns = BTreeMap::new();
            let mut n_values = 0;
            for (place, unit) in node.units.iter().enumerate() {
                let entry = lexicon.entry(*unit);
                if entry.space && !signature.is_empty() {
                    signature.push(b' ');
                }
                signature.extend_from_slice(entry.text.as_bytes());
                if lexicon.is_value(*unit) {
                    if let Some(found) = node.columns.get(&place) {
                        columns.insert(n_values, column_of(lexicon, found));
                    }
                    n_values += 1;
                }
            }
            Mined { members: node.members.clone(), signature, columns }
        });
        mined.collect()
    }
}

fn column_of(lexicon: &Lexicon, found: &Found) -> Column {
    let mut words: Vec<(u64, &str)> = found.words.iter().map(|(unit, count)| (*count, lexicon.text(*unit))).collect();
    words.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
    let shown = words.iter().take(WORDS_SHOWN).map(|(_, word)| (*word).to_owned()).collect();
    Column { because: found.because.clone(), words: shown }
}

fn add(into: &mut BTreeMap<u32, u64>, words: BTreeMap<u32, u64>) {
    for (word, count) in words {
        let sum = into.entry(word).or_insert(0);
        *sum = sum.saturating_add(count);
    }
}

fn hash_unit(unit: u32) -> u64 {
    mix(u64::from(unit) + 1)
}

/// Spreads the bits of a number over all of it (the finaliser of SplitMix64).
const fn mix(n: u64) -> u64 {
    let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
