//! The figures that the demo draws from: distributions measured over real runs, with their source and licence in
//! `figures.json`, which `cargo xtask figures` writes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::random::Random;

/// The shares at which every list of quantiles is given.
const AT: [f64; 9] = [0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 1.0];

static TABLE: LazyLock<Table> =
    // A test reads the table; should it not parse, every draw is nothing.
    LazyLock::new(|| serde_json::from_str(include_str!("figures.json")).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
struct Table {
    sets: BTreeMap<String, Set>,
}

/// A distribution by its quantiles.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Quantiles([f64; 9]);

impl Quantiles {
    /// Draws a value.
    pub(super) fn draw(&self, random: &mut Random) -> f64 {
        self.at(random.share())
    }

    /// Draws a whole number.
    pub(super) fn draw_whole(&self, random: &mut Random) -> i64 {
        self.draw(random).round() as i64
    }

    fn at(&self, share: f64) -> f64 {
        let high = AT.iter().position(|at| *at >= share).unwrap_or(AT.len() - 1).max(1);
        let part = (share - AT[high - 1]) / (AT[high] - AT[high - 1]);
        self.0[high - 1] + (self.0[high] - self.0[high - 1]) * part.clamp(0.0, 1.0)
    }

    /// The value in the middle.
    #[cfg(test)]
    pub(super) fn median(&self) -> f64 {
        self.0[4]
    }
}

/// What was measured over one file of runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Set {
    pub(super) pass_rate: f64,
    pub(super) transfer_share: f64,
    pub(super) user_turns: Quantiles,
    pub(super) model_calls: Quantiles,
    pub(super) tool_calls: Quantiles,
    pub(super) duration_s: Quantiles,
    pub(super) tools: Tools,
    pub(super) tool_errors: ToolErrors,
    pub(super) cost_usd: Quantiles,
    pub(super) answer_s: Quantiles,
    pub(super) tool_call_s: Quantiles,
    pub(super) simulated_reply_s: Quantiles,
    pub(super) tokens: Tokens,
}

/// What tools do, and what follows what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tools {
    what_follows: BTreeMap<String, BTreeMap<String, f64>>,
}

/// How often tools refuse.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolErrors {
    rate: f64,
    rate_by_what_the_tool_does: BTreeMap<String, f64>,
}

/// Tokens of model calls.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    input_by_call_p10_p50_p90: Vec<[f64; 3]>,
    pub(super) input_growth_per_call: Quantiles,
    pub(super) output_of_an_answer: Quantiles,
    pub(super) output_of_a_tool_call: Quantiles,
    pub(super) cached_share_of_first_call_by_cost: Quantiles,
    pub(super) cached_share_of_later_calls_by_cost: Quantiles,
}

impl Tokens {
    /// Draws the input of the first call.
    pub(super) fn draw_first_input(&self, random: &mut Random) -> f64 {
        let [low, middle, high] = self.input_by_call_p10_p50_p90.first().copied().unwrap_or_default();
        let share = random.share();
        if share < 0.5 { low + (middle - low) * share * 2.0 } else { middle + (high - middle) * (share * 2.0 - 1.0) }
    }

    /// The median input of a call by its place.
    #[cfg(test)]
    pub(super) fn median_input(&self, place: usize) -> f64 {
        self.input_by_call_p10_p50_p90[place][1]
    }
}

/// What a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Identify,
    Read,
    Search,
    Think,
    Write,
    HandOver,
}

impl Does {
    const ALL: [Self; 6] = [Self::Identify, Self::Read, Self::Search, Self::Think, Self::Write, Self::HandOver];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Read => "read",
            Self::Search => "search",
            Self::Think => "think",
            Self::Write => "write",
            Self::HandOver => "hand_over",
        }
    }
}

impl Set {
    /// Draws the tools that are called one after another, as they follow each other in the real runs.
    pub(super) fn draw_tools(&self, most: usize, random: &mut Random) -> Vec<Does> {
        let mut drawn: Vec<Does> = Vec::new();
        while drawn.len() < most && drawn.last() != Some(&Does::HandOver) {
            let last = drawn.last().map_or("start", |does| does.as_str());
            let Some(next) = self.tools.what_follows.get(last) else { break };
            let weights = Does::ALL.map(|does| next.get(does.as_str()).copied().unwrap_or_default());
            if random.happens(next.get("end").copied().unwrap_or_default()) {
                break;
            }
            drawn.push(Does::ALL[random.weighted(&weights)]);
        }
        drawn
    }

    /// How often a tool refuses, by what it does.
    pub(super) fn refusal_rate(&self, does: Does) -> f64 {
        self.tool_errors.rate_by_what_the_tool_does.get(does.as_str()).copied().unwrap_or_default()
    }

    /// How often any tool refuses.
    #[cfg_attr(not(test), expect(dead_code, reason = "only checked against"))]
    pub(super) fn any_refusal_rate(&self) -> f64 {
        self.tool_errors.rate
    }
}

static NOTHING: LazyLock<Set> = LazyLock::new(Set::default);

/// The figures of one file of runs by its name in the table.
pub(super) fn set(name: &str) -> &'static Set {
    TABLE.sets.get(name).unwrap_or(&NOTHING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_what_is_drawn_from() {
        let table: Table = serde_json::from_str(include_str!("figures.json")).expect("it parses");
        for name in ["retail_gpt_4_1", "airline_gpt_4_1", "airline_gpt_4o"] {
            let set = &table.sets[name];
            assert!((0.1..1.0).contains(&set.pass_rate), "{name}");
            assert!(set.tools.what_follows.contains_key("start"), "{name}");
        }
        assert!(set("retail_gpt_4_1").tokens.median_input(0) > 1_000.0);
        assert!(set("airline_gpt_4o").tokens.input_by_call_p10_p50_p90.is_empty(), "it has no usage");
        let text: serde_json::Value = serde_json::from_str(include_str!("figures.json")).expect("it parses");
        assert_eq!(text["quantiles"], serde_json::json!(AT));
    }

    #[test]
    fn draws_have_the_median_that_was_measured() {
        let (mut random, quantiles) = (Random::new(7, &[]), set("retail_gpt_4_1").answer_s);
        let mut drawn: Vec<f64> = (0..4_001).map(|_| quantiles.draw(&mut random)).collect();
        drawn.sort_by(f64::total_cmp);
        assert!((drawn[2_000] / quantiles.median() - 1.0).abs() < 0.05);
    }
}
