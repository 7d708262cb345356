//! Which rules found what a step says, for the panel "how this was read".
//!
//! A rule is named by the set that it stands in and the part of a step that it fills: `otel_genai.model`. Nothing is
//! noted while attributes are read: the rank of what won tells its set, so a name costs one bit when a step is
//! settled.

use std::borrow::Cow;

use crate::dialects::{RANKS, RuleSet};

/// The rank of what events say, which is below every attribute's.
pub(crate) const RANK_OF_EVENTS: u8 = u8::MAX;
/// The rank of a word that is only taken when no set of rules says anything.
pub(crate) const RANK_OF_NOTHING: u8 = 200;

/// The parts of a step that rules fill.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Kind,
    Name,
    Model,
    Tool,
    Agent,
    Usage,
    Cost,
    Input,
    Output,
    Score,
    Run,
}

const N_PARTS: usize = 11;
const N_SETS: usize = 9;
/// The place of events among the sets.
const EVENTS: usize = 8;

macro_rules! names {
    ($($set:literal),*) => {
        [$([
            concat!($set, ".kind"), concat!($set, ".name"), concat!($set, ".model"), concat!($set, ".tool"),
            concat!($set, ".agent"), concat!($set, ".usage"), concat!($set, ".cost"), concat!($set, ".input"),
            concat!($set, ".output"), concat!($set, ".score"), concat!($set, ".run"),
        ]),*]
    };
}

/// By set in the order of [`RuleSet`], with events at the end, and by part.
const NAMES: [[&str; N_PARTS]; N_SETS] = names![
    "steward",
    "langfuse",
    "openinference",
    "openllmetry",
    "vercel_ai",
    "otel_genai",
    "minor",
    "plain",
    "events"
];

/// The rules that fired for one step.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    sets: &'static [RuleSet],
    fired: [u16; N_SETS],
    error: Option<&'static str>,
}

impl Rules {
    /// Sets which sets of rules are asked, in which order, after Steward's own.
    pub(crate) fn of(&mut self, sets: &'static [RuleSet]) {
        self.sets = sets;
    }

    /// Notes that a rule with this rank filled a part.
    pub(crate) fn fired(&mut self, rank: u8, part: Part) {
        let set = match rank {
            0 => RuleSet::Steward as usize,
            RANK_OF_EVENTS => EVENTS,
            RANK_OF_NOTHING.. => return,
            _ => match self.sets.get(usize::from((rank - 1) / RANKS)) {
                Some(set) => *set as usize,
                None => return,
            },
        };
        self.fired[set] |= 1 << part as u16;
    }

    /// Notes what told that the step went wrong.
    pub(crate) fn error(&mut self, by: &'static str) {
        self.error = Some(by);
    }

    /// The names of all, in the order of sets and parts.
    pub(crate) fn names(&self) -> Vec<Cow<'static, str>> {
        let n: u32 = self.fired.iter().map(|parts| parts.count_ones()).sum();
        let mut names = Vec::with_capacity(n as usize + usize::from(self.error.is_some()));
        for (set, parts) in NAMES.iter().zip(self.fired) {
            names.extend((0..N_PARTS).filter(|part| parts & (1 << part) != 0).map(|part| Cow::Borrowed(set[part])));
        }
        names.extend(self.error.map(Cow::Borrowed));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_tells_the_set_and_the_name() {
        let mut rules = Rules::default();
        rules.of(&[RuleSet::VercelAi, RuleSet::OtelGenAi]);
        rules.fired(1, Part::Model);
        rules.fired(1 + RANKS, Part::Usage);
        rules.fired(1 + 2 * RANKS, Part::Run);
        rules.fired(RANK_OF_NOTHING, Part::Kind);
        rules.fired(RANK_OF_EVENTS, Part::Input);
        rules.fired(0, Part::Run);
        rules.error("error.status");
        assert_eq!(
            rules.names(),
            ["steward.run", "vercel_ai.model", "otel_genai.usage", "events.input", "error.status"]
        );
    }

    #[test]
    fn sets_stand_where_their_names_do() {
        assert_eq!(NAMES[RuleSet::Minor as usize][Part::Run as usize], "minor.run");
        assert_eq!(NAMES[RuleSet::Plain as usize][Part::Kind as usize], "plain.kind");
        assert_eq!(NAMES[EVENTS][Part::Score as usize], "events.score");
    }
}
