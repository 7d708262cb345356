//! Groups of messages: their templates, what differs in them, and why they are together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::columns::{self, Because, Column, Mined};
use crate::keys::Key;
use crate::kinds::Kinds;
use crate::miner::{Example, OTHER, Shape, ShapeId, slots_of};
use crate::overrides::Overrides;
use crate::scan::{REST, Scan, VALUE, hash_of};
use crate::shape::{shorten, units};

/// How many examples a group shows.
const MAX_EXAMPLES: usize = 3;

/// One place of a template where messages differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What kinds of value stood here.
    pub kinds: Kinds,
    /// About how many different ones; `None` when more than can be told (some 170).
    pub n_values: Option<u64>,
    /// Some of them, where they are words.
    pub words: Vec<String>,
    /// Why words in this place were taken for values; `None` where each is written like one.
    pub because: Option<Because>,
}

/// Messages that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Follows from the template.
    pub key: Key,
    /// Words, and `<*>` where messages differ.
    pub template: String,
    /// How many messages.
    pub count: u64,
    /// A few messages, whole or their beginnings.
    pub examples: Vec<String>,
    /// What stands in each `<*>`, in their order.
    pub places: Vec<Place>,
    /// The keys of the shapes under it, sorted.
    pub shapes: Vec<Key>,
    /// Whether people had a say in what is under it.
    pub by_people: bool,
    /// Whether this is the group of messages for which there was no room.
    pub is_overflow: bool,
}

/// All groups of a miner at one time, those with the most messages first.
#[derive(Debug)]
pub struct Groups {
    groups: Vec<Group>,
    /// The group of each shape, by its number.
    of_shape: Vec<u32>,
    by_shape_key: HashMap<Key, u32>,
    matcher: Matcher,
}

impl Groups {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Group] {
        &self.groups
    }

    /// The group of a shape that was there when the groups were made; that of the overflow for any other.
    #[must_use]
    pub fn of(&self, shape: ShapeId) -> &Group {
        &self.groups[self.index_of(shape)]
    }

    /// The place in [`Groups::all`] of a shape's group.
    #[must_use]
    pub fn index_of(&self, shape: ShapeId) -> usize {
        let overflow = self.of_shape[OTHER as usize];
        self.of_shape.get(shape.0 as usize).copied().unwrap_or(overflow) as usize
    }

    /// The group that a message belongs to, without counting it; `None` when there is none like it.
    #[must_use]
    pub fn find(&self, message: &str) -> Option<&Group> {
        let mut scan = Scan::default();
        scan.read(message);
        let signature = shorten(&scan.signature).map_or(scan.signature, |short| short.signature);
        let index = match self.by_shape_key.get(&Key::of(&signature)) {
            Some(index) => *index,
            None => self.matcher.find(&signature)?,
        };
        self.groups.get(index as usize)
    }

    pub(crate) fn of_shapes(shapes: &[Shape], overrides: &Overrides) -> Self {
        let mut live: Vec<u32> =
            (1..shapes.len() as u32).filter(|index| shapes[*index as usize].folded_into == *index).collect();
        live.sort_by(|a, b| shapes[*a as usize].signature.cmp(&shapes[*b as usize].signature));
        let texts: Vec<(&[u8], u64)> =
            live.iter().map(|index| &shapes[*index as usize]).map(|shape| (&*shape.signature, shape.count)).collect();
        let keys: Vec<Key> = live.iter().map(|index| shapes[*index as usize].key()).collect();
        let sets = with_people(columns::mine(&texts), &keys, overrides);

        let mut matcher = Matcher::default();
        let mut groups: Vec<(Group, Vec<u32>, Vec<Mined>)> = Vec::with_capacity(sets.len() + 1);
        for set in sets {
            let members: Vec<u32> =
                set.mined.iter().flat_map(|mined| &mined.members).map(|member| live[*member]).collect();
            let mined = set.mined.clone();
            groups.push((set.into_group(shapes, &members, &keys), members, mined));
        }
        groups.push((overflow(&shapes[OTHER as usize]), vec![OTHER], Vec::new()));
        groups.sort_by(|(a, ..), (b, ..)| {
            (a.is_overflow, b.count, &a.template, a.key).cmp(&(b.is_overflow, a.count, &b.template, b.key))
        });

        let mut of_shape = vec![0; shapes.len()];
        let mut by_shape_key = HashMap::new();
        for (index, (group, members, mined)) in groups.iter().enumerate() {
            let index = index as u32;
            for member in members {
                of_shape[*member as usize] = index;
            }
            by_shape_key.extend(group.shapes.iter().map(|key| (*key, index)));
            for mined in mined {
                let was_column = |place: usize| {
                    let folded =
                        mined.members.first().and_then(|member| shapes[live[*member] as usize].slots.get(place));
                    mined.columns.contains_key(&place) || folded.is_some_and(|slot| slot.is_column)
                };
                matcher.add(&mined.signature, was_column, index);
            }
        }
        for (index, shape) in shapes.iter().enumerate() {
            of_shape[index] = of_shape[shape.folded_into as usize];
        }
        let groups = groups.into_iter().map(|(group, ..)| group).collect();
        Self { groups, of_shape, by_shape_key, matcher }
    }
}

/// What is one group: usually one template; several when people put them together.
struct Set {
    mined: Vec<Mined>,
    by_people: bool,
    /// The name that people gave a group that they set apart.
    name: Option<String>,
}

/// Takes out what people set apart, then joins what they put together.
fn with_people(mined: Vec<Mined>, keys: &[Key], overrides: &Overrides) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::with_capacity(mined.len());
    let mut apart: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for mut one in mined {
        let before = one.members.len();
        one.members.retain(|member| match overrides.apart.get(&keys[*member]) {
            Some(name) => {
                apart.entry(name).or_default().push(*member);
                false
            }
            None => true,
        });
        if !one.members.is_empty() {
            let by_people = one.members.len() < before;
            sets.push(Set { mined: vec![one], by_people, name: None });
        }
    }
    sets.extend(apart.into_iter().map(|(name, members)| Set {
        mined: vec![Mined { members, signature: Vec::new(), columns: BTreeMap::new() }],
        by_people: true,
        name: Some(name.to_owned()),
    }));
    if overrides.together.is_empty() {
        return sets;
    }
    let mut set_of: HashMap<Key, usize> = HashMap::new();
    for (index, set) in sets.iter().enumerate() {
        set_of.extend(set.mined.iter().flat_map(|mined| &mined.members).map(|member| (keys[*member], index)));
    }
    // Each set points to an earlier one that it is part of, or to itself.
    let mut part_of: Vec<usize> = (0..sets.len()).collect();
    let root = |part_of: &[usize], mut at: usize| {
        while part_of[at] != at {
            at = part_of[at];
        }
        at
    };
    for (one, other) in &overrides.together {
        if let (Some(one), Some(other)) = (set_of.get(one), set_of.get(other)) {
            let (one, other) = (root(&part_of, *one), root(&part_of, *other));
            part_of[one.max(other)] = one.min(other);
        }
    }
    let mut joined: BTreeMap<usize, Set> = BTreeMap::new();
    for (index, set) in sets.into_iter().enumerate() {
        let root = root(&part_of, index);
        match joined.get_mut(&root) {
            None => {
                joined.insert(root, set);
            }
            Some(into) => {
                into.by_people = true;
                into.name = into.name.take().or(set.name);
                into.mined.extend(set.mined);
            }
        }
    }
    joined.into_values().collect()
}

impl Set {
    fn into_group(self, shapes: &[Shape], members: &[u32], keys: &[Key]) -> Group {
        let mut count = 0_u64;
        let mut examples: BTreeSet<&Example> = BTreeSet::new();
        for member in members {
            let shape = &shapes[*member as usize];
            count = count.saturating_add(shape.count);
            examples.extend(&shape.examples);
            while examples.len() > MAX_EXAMPLES {
                examples.pop_last();
            }
        }
        let mut shape_keys: Vec<Key> =
            self.mined.iter().flat_map(|mined| &mined.members).map(|member| keys[*member]).collect();
        shape_keys.sort_unstable();

        // Where people put several templates together, that of the most messages speaks for all.
        let mut widest: Option<(u64, &Mined, Vec<u32>)> = None;
        let mut at = 0;
        for mined in &self.mined {
            let own = members[at..at + mined.members.len()].to_vec();
            at += mined.members.len();
            let n: u64 = own.iter().map(|member| shapes[*member as usize].count).fold(0, u64::saturating_add);
            if widest.as_ref().is_none_or(|(most, ..)| n > *most) {
                widest = Some((n, mined, own));
            }
        }
        let (signature, columns, own) = match widest {
            Some((_, mined, own)) if mined.signature.is_empty() => {
                // What people set apart has the template of its commonest shape.
                let common = own.iter().max_by_key(|member| {
                    let shape = &shapes[**member as usize];
                    (shape.count, std::cmp::Reverse(shape.signature.clone()))
                });
                let shape = common.map(|member| &shapes[*member as usize]);
                (
                    shape.map_or_else(Vec::new, |shape| shape.signature.to_vec()),
                    BTreeMap::new(),
                    common.map_or_else(Vec::new, |member| vec![*member]),
                )
            }
            Some((_, mined, own)) => (mined.signature.clone(), mined.columns.clone(), own),
            None => (Vec::new(), BTreeMap::new(), Vec::new()),
        };
        let key = match &self.name {
            Some(name) => Key::of(format!("apart: {name}").as_bytes()),
            None => Key::of(&signature),
        };
        Group {
            key,
            template: template_of(&signature),
            count,
            examples: examples.into_iter().map(|example| example.text.clone()).collect(),
            places: places_of(&signature, &columns, shapes, &own),
            shapes: shape_keys,
            by_people: self.by_people,
            is_overflow: false,
        }
    }
}

fn overflow(shape: &Shape) -> Group {
    Group {
        key: shape.key(),
        template: "<*>".to_owned(),
        count: shape.count,
        examples: shape.examples.iter().map(|example| example.text.clone()).take(MAX_EXAMPLES).collect(),
        places: Vec::new(),
        shapes: Vec::new(),
        by_people: false,
        is_overflow: true,
    }
}

/// A signature as people read it.
fn template_of(signature: &[u8]) -> String {
    let mut template = String::with_capacity(signature.len() + 16);
    for part in String::from_utf8_lossy(signature).chars() {
        match part as u32 {
            n if n == u32::from(VALUE) => template.push_str("<*>"),
            n if n == u32::from(REST) => template.push('…'),
            _ => template.push(part),
        }
    }
    template
}

/// What stands in each place of a template, gathered from the shapes under it.
fn places_of(signature: &[u8], columns: &BTreeMap<usize, Column>, shapes: &[Shape], members: &[u32]) -> Vec<Place> {
    let stats = slots_of(signature, members.iter().map(|member| &shapes[*member as usize]));
    let places = stats.into_iter().enumerate().map(|(place, stats)| {
        let column = columns.get(&place);
        Place {
            kinds: stats.kinds,
            n_values: stats.n_values(),
            words: column.map_or_else(Vec::new, |column| column.words.clone()),
            because: column.map(|column| column.because.clone()),
        }
    });
    places.collect()
}

impl Group {
    /// Why these messages are together, in a sentence or two.
    #[must_use]
    pub fn because(&self) -> String {
        if self.is_overflow {
            return "together because there was no room for another pattern".to_owned();
        }
        if self.by_people {
            return "together because a person said so".to_owned();
        }
        if self.places.is_empty() {
            return "together because they are the same word for word".to_owned();
        }
        let mut text = String::from("together because they have the same words in the same order, and differ in ");
        for (index, place) in self.places.iter().enumerate() {
            if index > 0 {
                text.push_str("; ");
            }
            place.tell(index + 1, &mut text);
        }
        text
    }
}

impl Place {
    fn tell(&self, number: usize, text: &mut String) {
        // Writing to a text does not fail.
        let _ = match self.n_values {
            Some(n) => write!(text, "<*> {number}: {} ({n} different", self.kinds.words()),
            None => write!(text, "<*> {number}: {} (very many", self.kinds.words()),
        };
        if !self.words.is_empty() {
            let more = if self.n_values.is_none_or(|n| n > self.words.len() as u64) { ", …" } else { "" };
            let _ = write!(text, ": {}{more}", self.words.join(", "));
        }
        text.push(')');
        match &self.because {
            None => {}
            Some(Because::Named { noun }) => {
                let _ = write!(text, ", as “{noun}” is followed by a name");
            }
            Some(Because::Bracketed) => text.push_str(", as it stands alone in brackets"),
            Some(Because::AlsoValues) => text.push_str(", as other values stand in the same place"),
            Some(Because::Behind { preposition }) => {
                let _ = write!(text, ", as names follow “{preposition}”");
            }
            Some(Because::LikeNames) => text.push_str(", as they are written like names"),
            Some(Because::Many) => text.push_str(", as so many different words are no choice of wording"),
        }
    }
}

/// Finds the template of a signature that was not seen before.
///
/// A word fits where words were found to be values, a value where any value stood, and nothing else does.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    /// By their beginnings, in the order in which they were added.
    templates: HashMap<Beginning, Vec<(Vec<Part>, u32)>>,
}

/// The number of units and hashes of what has to stand in the first two; `None` where a value may.
type Beginning = (usize, Option<u64>, Option<u64>);

#[derive(Debug)]
enum Part {
    Fixed(Box<[u8]>),
    Value,
    ValueOrWord,
}

impl Part {
    fn hash(&self) -> Option<u64> {
        match self {
            Self::Fixed(bytes) => Some(hash_of(bytes)),
            Self::Value | Self::ValueOrWord => None,
        }
    }
}

impl Matcher {
    /// Of the shapes that others were folded into.
    pub(crate) fn of_folded(shapes: &[Shape]) -> Self {
        let mut matcher = Self::default();
        for (index, shape) in shapes.iter().enumerate() {
            if shape.folded_into as usize == index && index != OTHER as usize {
                let is_word = |place: usize| shape.slots.get(place).is_some_and(|slot| slot.is_column);
                matcher.add(&shape.signature, is_word, index as u32);
            }
        }
        matcher
    }

    /// Adds a template, of which `takes_words` says in which places words are values.
    fn add(&mut self, signature: &[u8], takes_words: impl Fn(usize) -> bool, index: u32) {
        let mut place = 0;
        let parts = units(signature).into_iter().map(|unit| {
            if !unit.is_value() {
                return Part::Fixed(unit.bytes.into());
            }
            place += 1;
            if takes_words(place - 1) { Part::ValueOrWord } else { Part::Value }
        });
        let parts: Vec<Part> = parts.collect();
        // Without a place for words there is nothing to find that is not found by its signature.
        if parts.iter().any(|part| matches!(part, Part::ValueOrWord)) {
            let beginning = (parts.len(), parts.first().and_then(Part::hash), parts.get(1).and_then(Part::hash));
            self.templates.entry(beginning).or_default().push((parts, index));
        }
    }

    pub(crate) fn find(&self, signature: &[u8]) -> Option<u32> {
        if self.templates.is_empty() {
            return None;
        }
        let units = units(signature);
        let hash = |at: usize| units.get(at).filter(|unit| !unit.is_value()).map(|unit| hash_of(unit.bytes));
        let (first, second) = (hash(0), hash(1));
        let beginnings = [(first, second), (first, None), (None, second), (None, None)];
        beginnings.into_iter().find_map(|(first, second)| {
            let templates = self.templates.get(&(units.len(), first, second))?;
            let found = templates.iter().find(|(parts, _)| {
                parts.iter().zip(&units).all(|(part, unit)| match part {
                    Part::Fixed(bytes) => bytes[..] == *unit.bytes,
                    Part::Value => unit.is_value(),
                    Part::ValueOrWord => unit.is_value() || unit.is_word(),
                })
            });
            found.map(|(_, index)| *index)
        })
    }
}
