//! Messages into shapes, one at a time, in bounded memory.

use std::collections::HashMap;
use std::sync::Arc;

use crate::columns::{self, Mined};
use crate::groups::{Groups, Matcher};
use crate::keys::Key;
use crate::overrides::Overrides;
use crate::scan::{MAX_SLOTS, Scan, Slot, hash_of};
use crate::shape::{shorten, units};
use crate::state::{ShapeState, State, StateError};
use crate::{Kind, Kinds, STATE_VERSION};

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The most shapes that are told apart. Beyond it, shapes of one template are folded into one; when nothing can be
    /// folded any more, messages of unseen shapes are counted in one last group.
    pub max_shapes: usize,
    /// How many examples are kept of each shape.
    pub n_examples: usize,
    /// How much of an example is kept.
    pub max_example_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_shapes: 50_000, n_examples: 3, max_example_bytes: 240 }
    }
}

impl Config {
    /// The same with another number of shapes, of at least 16.
    #[must_use]
    pub fn with_max_shapes(self, max_shapes: usize) -> Self {
        Self { max_shapes: max_shapes.max(16), ..self }
    }
}

/// A shape of messages within one [`Miner`], by number: valid until the process ends. [`Key`]s last longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeId(pub(crate) u32);

impl ShapeId {
    /// The number, from 0.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The shape of a number that [`ShapeId::number`] gave.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// The shape of what found no room.
pub(crate) const OTHER: u32 = 0;
/// The signature of what found no room: no message has it, for messages do not begin with white space.
pub(crate) const OTHER_SIGNATURE: &[u8] = b" ";

/// What is known of the values in one place of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SlotStats {
    pub(crate) kinds: Kinds,
    /// One bit for each value by its hash: how many are set tells about how many there were.
    pub(crate) seen: u64,
    /// Whether words that differ were folded into this place.
    pub(crate) is_column: bool,
}

impl SlotStats {
    fn add(&mut self, slot: &Slot) {
        self.kinds = self.kinds.or(slot.kinds);
        self.seen |= 1 << ((slot.hash ^ (slot.hash >> 32)) & 63);
    }

    /// Takes a word for a value.
    fn add_word(&mut self, word: &[u8]) {
        self.add(&Slot { kinds: Kinds::of(Kind::Word), hash: hash_of(word), start: 0, end: 0 });
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.kinds = self.kinds.or(other.kinds);
        self.seen |= other.seen;
        self.is_column |= other.is_column;
    }

    /// About how many different values there were (linear counting); `None` when too many to tell.
    pub(crate) fn n_values(self) -> Option<u64> {
        let empty = self.seen.count_zeros();
        if empty < 4 {
            return None;
        }
        Some((64.0 * (64.0 / f64::from(empty)).ln()).round() as u64)
    }
}

/// A message that is kept. Which are kept follows from their texts, so that it does not hang on their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Example {
    pub(crate) hash: u64,
    pub(crate) text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) signature: Arc<[u8]>,
    pub(crate) count: u64,
    pub(crate) slots: Vec<SlotStats>,
    pub(crate) examples: Vec<Example>,
    /// The shape that this one was folded into; itself if none.
    pub(crate) folded_into: u32,
}

/// What a signature leads to.
#[derive(Debug)]
struct Known {
    shape: u32,
    /// Where the values go, when the shape is a shortened form of the signature.
    places: Option<Box<[u16]>>,
}

/// Reads messages and remembers their shapes.
///
/// A shape is a message without its values. [`Miner::assign`] gives each message its shape at once;
/// [`Miner::consolidate`] says which shapes are one template. What it says follows from the set of messages alone, in
/// whatever order they came, as long as there was room for their shapes ([`Miner::was_full`]).
#[derive(Debug)]
pub struct Miner {
    config: Config,
    scan: Scan,
    known: HashMap<Arc<[u8]>, Known>,
    shapes: Vec<Shape>,
    n_messages: u64,
    n_live: usize,
    /// Templates that shapes were folded into, and which unseen shapes may belong to.
    folded: Option<Matcher>,
    /// After a folding that freed next to nothing there is no use in another.
    is_closed: bool,
}

impl Default for Miner {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Miner {
    /// Makes one that knows nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut miner = Self {
            config: config.with_max_shapes(config.max_shapes),
            scan: Scan::default(),
            known: HashMap::new(),
            shapes: Vec::new(),
            n_messages: 0,
            n_live: 0,
            folded: None,
            is_closed: false,
        };
        miner.add_shape(OTHER_SIGNATURE.into(), 0);
        miner
    }

    /// How many messages were read.
    #[must_use]
    pub fn n_messages(&self) -> u64 {
        self.n_messages
    }

    /// How many shapes are told apart now.
    #[must_use]
    pub fn n_shapes(&self) -> usize {
        self.n_live - 1
    }

    /// Whether there was no more room for all shapes at some time. What is said then may hang on the order of messages.
    #[must_use]
    pub fn was_full(&self) -> bool {
        self.folded.is_some()
    }

    /// Reads a message and gives its shape.
    pub fn assign(&mut self, message: &str) -> ShapeId {
        self.n_messages = self.n_messages.saturating_add(1);
        self.scan.read(message);
        let shape = match self.known.get(self.scan.signature.as_slice()) {
            Some(known) => {
                let shape = &mut self.shapes[known.shape as usize];
                match &known.places {
                    None => shape.slots.iter_mut().zip(&self.scan.slots).for_each(|(stats, slot)| stats.add(slot)),
                    Some(places) => add_shortened(shape, places, &self.scan.slots),
                }
                known.shape
            }
            None => self.meet(),
        };
        let entry = &mut self.shapes[shape as usize];
        entry.count = entry.count.saturating_add(1);
        keep_example(entry, message, self.config);
        ShapeId(shape)
    }

    /// The key of a shape, or of the one that it was folded into: what outlives the process. That of the overflow for a
    /// shape that is not there.
    #[must_use]
    pub fn key_of(&self, shape: ShapeId) -> Key {
        let at = |index: u32| self.shapes.get(index as usize).unwrap_or(&self.shapes[OTHER as usize]);
        at(at(shape.0).folded_into).key()
    }

    /// Says which shapes are one template, as people see to it that they are.
    #[must_use]
    pub fn consolidate(&self, overrides: &Overrides) -> Groups {
        Groups::of_shapes(&self.shapes, overrides)
    }

    /// Everything that is remembered, in an order that hangs on nothing but the messages.
    #[must_use]
    pub fn export_state(&self) -> State {
        let mut shapes: Vec<ShapeState> = self
            .shapes
            .iter()
            .enumerate()
            .filter(|(index, shape)| shape.folded_into as usize == *index && *index != OTHER as usize)
            .map(|(_, shape)| ShapeState::of(shape))
            .collect();
        shapes.sort_by(|a, b| a.signature.cmp(&b.signature));
        State {
            version: STATE_VERSION,
            n_messages: self.n_messages,
            was_full: self.was_full(),
            other: ShapeState::of(&self.shapes[OTHER as usize]),
            shapes,
        }
    }

    /// Remembers what was exported.
    ///
    /// # Errors
    ///
    /// When the state is of another version, or is none that this crate wrote.
    pub fn import_state(config: Config, state: State) -> Result<Self, StateError> {
        if state.version != STATE_VERSION {
            return Err(StateError::Version { found: state.version });
        }
        let mut miner = Self::new(config);
        miner.n_messages = state.n_messages;
        miner.shapes[OTHER as usize] =
            Shape { signature: OTHER_SIGNATURE.into(), folded_into: OTHER, ..state.other.into_shape(OTHER)? };
        for shape in state.shapes {
            let index = u32::try_from(miner.shapes.len()).map_err(|_| StateError::Corrupt)?;
            let shape = shape.into_shape(index)?;
            let known = Known { shape: index, places: None };
            if miner.known.insert(Arc::clone(&shape.signature), known).is_some() {
                return Err(StateError::Corrupt);
            }
            miner.shapes.push(shape);
            miner.n_live += 1;
        }
        if state.was_full {
            miner.folded = Some(Matcher::of_folded(&miner.shapes));
        }
        Ok(miner)
    }

    fn add_shape(&mut self, signature: Arc<[u8]>, n_slots: usize) -> u32 {
        let index = self.shapes.len() as u32;
        let slots = vec![SlotStats::default(); n_slots];
        self.shapes.push(Shape { signature, count: 0, slots, examples: Vec::new(), folded_into: index });
        self.n_live += 1;
        index
    }

    /// The shape of a signature that was not seen before.
    fn meet(&mut self) -> u32 {
        let signature: Arc<[u8]> = self.scan.signature.as_slice().into();
        let short = shorten(&signature);
        if let Some(short) = &short
            && let Some(known) = self.known.get(short.signature.as_slice())
        {
            let shape = known.shape;
            let places: Box<[u16]> = short.places.as_slice().into();
            add_shortened(&mut self.shapes[shape as usize], &places, &self.scan.slots);
            self.remember(signature, Known { shape, places: Some(places) });
            return shape;
        }
        let own: Arc<[u8]> = match &short {
            Some(short) => short.signature.as_slice().into(),
            None => Arc::clone(&signature),
        };
        let short_places = short.map(|short| short.places);
        if let Some(shape) = self.folded.as_ref().and_then(|folded| folded.find(&own)) {
            let places = places_in(&own, &self.shapes[shape as usize].signature, short_places.as_deref());
            add_shortened(&mut self.shapes[shape as usize], &places, &self.scan.slots);
            self.remember(signature, Known { shape, places: Some(places) });
            return shape;
        }
        if self.n_live > self.config.max_shapes {
            self.fold();
            if self.n_live > self.config.max_shapes {
                return OTHER;
            }
        }
        let n_values = own.iter().filter(|byte| **byte == crate::scan::VALUE).count().min(MAX_SLOTS);
        let shape = self.add_shape(Arc::clone(&own), n_values);
        let places = short_places.map(Vec::into_boxed_slice);
        let entry = &mut self.shapes[shape as usize];
        match &places {
            Some(places) => add_shortened(entry, places, &self.scan.slots),
            None => entry.slots.iter_mut().zip(&self.scan.slots).for_each(|(stats, slot)| stats.add(slot)),
        }
        if places.is_some() {
            self.remember(signature, Known { shape, places });
        }
        self.known.insert(own, Known { shape, places: None });
        shape
    }

    /// Remembers another signature of a shape, as long as there is room: it saves time and nothing else.
    fn remember(&mut self, signature: Arc<[u8]>, known: Known) {
        if self.known.len() < 2 * self.config.max_shapes {
            self.known.insert(signature, known);
        }
    }

    /// Folds the shapes of one template into one, to make room.
    fn fold(&mut self) {
        if self.is_closed {
            return;
        }
        let live: Vec<u32> =
            (1..self.shapes.len() as u32).filter(|index| self.shapes[*index as usize].folded_into == *index).collect();
        let mut sorted = live;
        sorted.sort_by(|a, b| self.shapes[*a as usize].signature.cmp(&self.shapes[*b as usize].signature));
        let mined = {
            let texts: Vec<(&[u8], u64)> = sorted
                .iter()
                .map(|index| &self.shapes[*index as usize])
                .map(|shape| (&*shape.signature, shape.count))
                .collect();
            columns::mine(&texts)
        };
        let before = self.n_live;
        for template in mined {
            if template.members.len() < 2 {
                continue;
            }
            let members: Vec<u32> = template.members.iter().map(|member| sorted[*member]).collect();
            self.fold_into(&members, template);
        }
        // Places of other signatures are those of before; they are learned again.
        let is_alive = |known: &Known| self.shapes[known.shape as usize].folded_into == known.shape;
        self.known.retain(|_, known| known.places.is_none() && is_alive(known));
        self.folded = Some(Matcher::of_folded(&self.shapes));
        // Folding takes a while: it has to be worth it.
        self.is_closed = before - self.n_live < self.config.max_shapes / 16;
    }

    fn fold_into(&mut self, members: &[u32], template: Mined) {
        let Some(&first) = members.iter().min() else { return };
        let signature: Arc<[u8]> = template.signature.into();
        let slots = slots_of(&signature, members.iter().map(|member| &self.shapes[*member as usize]));
        let slots = slots.into_iter().enumerate().map(|(place, mut slot)| {
            slot.is_column |= template.columns.contains_key(&place);
            slot
        });
        let mut folded = Shape {
            signature: Arc::clone(&signature),
            count: 0,
            slots: slots.take(MAX_SLOTS).collect(),
            examples: Vec::new(),
            folded_into: first,
        };
        for member in members {
            let shape = &mut self.shapes[*member as usize];
            folded.count = folded.count.saturating_add(shape.count);
            folded.examples.append(&mut shape.examples);
            shape.folded_into = first;
            shape.slots = Vec::new();
            self.known.remove(&shape.signature);
            shape.signature = Arc::clone(&signature);
        }
        folded.examples.sort();
        folded.examples.dedup();
        folded.examples.truncate(self.config.n_examples);
        self.n_live -= members.len() - 1;
        self.shapes[first as usize] = folded;
        self.known.insert(signature, Known { shape: first, places: None });
    }
}

/// What is known of the values in each place of a template, from the shapes under it.
pub(crate) fn slots_of<'s>(signature: &[u8], shapes: impl Iterator<Item = &'s Shape>) -> Vec<SlotStats> {
    let template = units(signature);
    let mut stats = vec![SlotStats::default(); template.iter().filter(|unit| unit.is_value()).count()];
    for shape in shapes {
        let mut slots = shape.slots.iter();
        let mut place = 0;
        // Shapes of one template have the same units but for the places.
        for (own, unit) in units(&shape.signature).into_iter().zip(&template) {
            let slot = if own.is_value() { slots.next() } else { None };
            if unit.is_value() {
                match slot {
                    Some(slot) => stats[place].merge(*slot),
                    None if own.is_value() => {}
                    None => stats[place].add_word(own.bytes),
                }
                place += 1;
            }
        }
    }
    stats
}

/// Where the values of a signature stand in the wider template that it belongs to, unit by unit.
fn places_in(own: &[u8], template: &[u8], short_places: Option<&[u16]>) -> Box<[u16]> {
    let mut place = 0;
    let mut goes_to = Vec::new();
    for (own, unit) in units(own).into_iter().zip(units(template)) {
        if own.is_value() {
            goes_to.push(place);
        }
        place += u16::from(unit.is_value());
    }
    match short_places {
        None => goes_to.into(),
        Some(short) => short.iter().map(|at| goes_to.get(usize::from(*at)).copied().unwrap_or(u16::MAX)).collect(),
    }
}

fn add_shortened(shape: &mut Shape, places: &[u16], slots: &[Slot]) {
    for (slot, place) in slots.iter().zip(places) {
        if let Some(stats) = shape.slots.get_mut(usize::from(*place)) {
            stats.add(slot);
        }
    }
}

/// Keeps the messages whose hashes are smallest.
fn keep_example(shape: &mut Shape, message: &str, config: Config) {
    let hash = hash_of(message.as_bytes());
    let is_full = shape.examples.len() >= config.n_examples;
    if is_full && shape.examples.last().is_none_or(|last| last.hash <= hash) {
        return;
    }
    let end = message.len().min(config.max_example_bytes);
    let end = (0..=end).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
    let example = Example { hash, text: message[..end].to_owned() };
    if let Err(at) = shape.examples.binary_search(&example) {
        shape.examples.insert(at, example);
        shape.examples.truncate(config.n_examples);
    }
}

impl Shape {
    pub(crate) fn key(&self) -> Key {
        Key::of(&self.signature)
    }
}
