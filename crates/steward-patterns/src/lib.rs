//! Texts into templates and groups: which messages say the same, whatever the values in them.
//!
//! ```
//! use steward_patterns::{Miner, Overrides};
//!
//! let mut miner = Miner::default();
//! let shapes: Vec<_> = ["order 17 not found", "order 4 not found", "user not found"]
//!     .iter()
//!     .map(|message| miner.assign(message))
//!     .collect();
//! let groups = miner.consolidate(&Overrides::default());
//! assert_eq!(groups.of(shapes[0]).template, "order <*> not found");
//! assert_eq!(groups.of(shapes[0]).key, groups.of(shapes[1]).key);
//! assert_eq!(groups.of(shapes[2]).template, "user not found");
//! ```
//!
//! # How
//!
//! 1. A message is read once, byte by byte, into its *shape*: its words, with a mark for each value. What is a value
//!    follows from how it is written and what stands beside it (digits, paths, hosts, quoted names, `key=`), and from
//!    nothing that was read before. Units belong to their numbers, and lists of any length are one value.
//! 2. Shapes are counted. This is all that is remembered.
//! 3. Shapes that are the same but for one word become one template when that word is a value rather than a word of the
//!    message. What says so is kept and shown: [`Because`].
//!
//! There is one configuration for all sources, and no list that is about one of them.
//!
//! # What it guarantees
//!
//! * **Order.** Groups are a pure function of the set of messages with their counts. The order of arrival changes
//!   nothing, as long as there were no more than [`Config::max_shapes`] different shapes ([`Miner::was_full`] says
//!   whether). Beyond that, shapes of one template are folded into one, and what was folded is not taken apart again;
//!   when nothing more can be folded, messages of unseen shapes are counted in one last group.
//! * **More messages.** Templates become wider with more messages, never narrower: two shapes in one group stay in one
//!   group unless counts change what a column looks like, which is possible only for columns that were joined because
//!   their words were many.
//! * **Memory.** At most [`Config::max_shapes`] shapes of at most a kilobyte, each with a few short examples.
//! * **Length.** What differs only behind the first 8 KiB of a message, or behind a kilobyte of words, is the same.
//! * **Keys.** A group's [`Key`] follows from its template; it stays while the template stays. When a template becomes
//!   wider its key changes: the keys of its shapes ([`Group::shapes`]) tell which group it was.
//!
//! This crate knows nothing of agents, of storage or of time.

mod columns;
mod groups;
mod keys;
mod kinds;
mod miner;
mod overrides;
mod scan;
mod shape;
mod state;
mod words;
mod writing;

pub use columns::Because;
pub use groups::{Group, Groups, Place};
pub use keys::{Key, NotAKey};
pub use kinds::{Kind, Kinds};
pub use miner::{Config, Miner, ShapeId};
pub use overrides::Overrides;
pub use state::{STATE_VERSION, State, StateError};
