//! What models cost: a table of prices by model and day, with the user's own prices over it.
//!
//! Prices are data (`data/prices.json`), each with the day from which it holds and where it comes from. A call is
//! priced as of the instant of its span, in whole numbers throughout, and rounded once. What no price covers is
//! unknown, which is `None` and never 0.
//!
//! # How a model finds its price
//!
//! The user's own prices are asked first, then the built-in ones. Within each, the first of these that has a price
//! for the provider decides:
//!
//! 1. the model's id as it was reported;
//! 2. the id in lower case without the names in front of it: `openai/`, `models/`, `us.anthropic.`;
//! 3. that without the version behind it: `-2024-08-06`, `-20241022`, `@20240620`, `-v1:0`, `-0613`, `-latest`;
//! 4. the longest pattern ending in `*` that fits.
//!
//! A price with a provider holds only for calls that name this provider, in the model's id (`groq/…`) or beside it.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::money::Nanos;
use crate::time::Timestamp;
use crate::usage::Usage;

mod names;
mod rate;

pub use rate::{NotARate, Rate};

/// The prices of one model from a day on, in US dollars per million tokens.
///
/// Where a kind of token has no price of its own, the price of its family holds: that of `input` for everything that
/// goes in, that of `output` for everything that comes out. Cache writes of a stated lifetime fall back to those of
/// the shorter one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Price {
    /// The model's id, or the beginning of ids and `*`.
    pub model: String,
    /// The provider for whose calls alone the price holds, such as `groq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The first day on which it holds, UTC.
    pub from: Date,
    /// The prices of tokens.
    #[serde(flatten)]
    pub rates: Rates,
    /// Other prices for calls with more input, from the smallest bound to the largest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// Where the price comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// Prices by kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Input tokens; also images, and what has no price of its own below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Rate>,
    /// Output tokens. 0 for models that give none, such as embeddings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Rate>,
    /// Input tokens read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Rate>,
    /// Input tokens written to a cache that lives five minutes, or does not say how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<Rate>,
    /// Input tokens written to a cache that lives an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<Rate>,
    /// Output tokens spent on reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Rate>,
    /// Input tokens of audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<Rate>,
    /// Output tokens of audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<Rate>,
}

impl Rates {
    /// These prices where they are given, and others where they are not.
    fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            cache_read: self.cache_read.or(other.cache_read),
            cache_write_5m: self.cache_write_5m.or(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.or(other.cache_write_1h),
            reasoning: self.reasoning.or(other.reasoning),
            input_audio: self.input_audio.or(other.input_audio),
            output_audio: self.output_audio.or(other.output_audio),
        }
    }

    fn named(&self) -> [(&'static str, Option<Rate>); 8] {
        [
            ("input", self.input),
            ("output", self.output),
            ("cache_read", self.cache_read),
            ("cache_write_5m", self.cache_write_5m),
            ("cache_write_1h", self.cache_write_1h),
            ("reasoning", self.reasoning),
            ("input_audio", self.input_audio),
            ("output_audio", self.output_audio),
        ]
    }
}

/// Prices for calls whose input, cached or not, is larger than a bound. They hold for the whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The bound, in tokens; a call of exactly as many is below it.
    pub above_input_tokens: u64,
    /// The prices that differ; what is not given costs what it costs below the bound.
    #[serde(flatten)]
    pub rates: Rates,
}

impl Price {
    /// What a usage costs at this price.
    ///
    /// `None` when tokens were used of a kind that has no price at all. Stops at the end of the range, and at 0 for a
    /// price below it.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Option<Nanos> {
        let rates = self.rates_for(usage);
        let write_5m = rates.cache_write_5m.or(rates.input);
        let parts = [
            (usage.input, rates.input),
            (usage.input_image, rates.input),
            (usage.input_audio, rates.input_audio.or(rates.input)),
            (usage.cache_read, rates.cache_read.or(rates.input)),
            (usage.cache_write, write_5m),
            (usage.cache_write_5m, write_5m),
            (usage.cache_write_1h, rates.cache_write_1h.or(write_5m)),
            (usage.output, rates.output),
            (usage.reasoning, rates.reasoning.or(rates.output)),
            (usage.output_audio, rates.output_audio.or(rates.output)),
        ];
        let mut sum = 0_i128;
        for (tokens, rate) in parts {
            if tokens > 0 {
                // Below 2^64 · 2^63, so ten of them can leave the range: they stop at its end.
                sum = sum.saturating_add(i128::from(tokens) * i128::from(rate?.nanos_per_million()));
            }
        }
        // Half a nano-unit and more counts as one.
        let nanos = sum.saturating_add(TOKENS_OF_A_RATE / 2).div_euclid(TOKENS_OF_A_RATE);
        Some(Nanos(i64::try_from(nanos.max(0)).unwrap_or(i64::MAX)))
    }

    /// The rates for a call: those of the highest tier that its input passes, over the price's own.
    fn rates_for(&self, usage: &Usage) -> Rates {
        if self.tiers.is_empty() {
            return self.rates;
        }
        let input = [usage.input, usage.cache_read, usage.cache_write, usage.cache_write_5m, usage.cache_write_1h]
            .into_iter()
            .chain([usage.input_audio, usage.input_image])
            .fold(0, u64::saturating_add);
        self.tiers
            .iter()
            .filter(|tier| input > tier.above_input_tokens)
            .max_by_key(|tier| tier.above_input_tokens)
            .map_or(self.rates, |tier| tier.rates.or(self.rates))
    }

    /// The first instant at which it holds.
    fn start(&self) -> Timestamp {
        self.from.to_zoned(TimeZone::UTC).map_or(Timestamp(i64::MIN), |at| Timestamp::from_jiff(at.timestamp()))
    }

    /// What is wrong with it, in words.
    fn problems(&self) -> Vec<String> {
        let name = if self.model.is_empty() { "a price without a model" } else { &self.model };
        let mut problems = Vec::new();
        let mut say = |problem: String| problems.push(format!("{name} from {}: {problem}", self.from));
        if self.model.trim().is_empty() || self.model == "*" {
            say("the model is missing".to_owned());
        } else if self.model.trim_end_matches('*').contains('*') || self.model.ends_with("**") {
            say("a “*” may stand only once, at the end of the model".to_owned());
        }
        if self.from.year() < 2000 {
            say("the day from which it holds is missing".to_owned());
        }
        for (kind, rate) in [("input", self.rates.input), ("output", self.rates.output)] {
            if rate.is_none() {
                say(format!("the price of {kind} is missing; write 0 where it is free"));
            }
        }
        let tiers = self.tiers.iter().map(|tier| &tier.rates);
        for (kind, rate) in std::iter::once(&self.rates).chain(tiers).flat_map(Rates::named) {
            if let Some(rate) = rate.filter(|rate| rate.is_negative()) {
                say(format!("the price of {kind} is negative: {rate}"));
            }
        }
        if !self.tiers.is_sorted_by(|a, b| a.above_input_tokens < b.above_input_tokens) {
            say("its tiers are not in the order of their bounds".to_owned());
        }
        if self.tiers.iter().any(|tier| tier.rates == Rates::default()) {
            say("one of its tiers has no price".to_owned());
        }
        problems
    }
}

/// Rates are per million tokens.
const TOKENS_OF_A_RATE: i128 = 1_000_000;

/// A price that was found for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The price.
    pub price: &'a Price,
    /// The call is older than the first price known for its model, which is used for want of an older one.
    pub before_first_date: bool,
    /// It is one of the user's own prices.
    pub own: bool,
}

/// The prices in force: the built-in ones, and the user's own over them.
#[derive(Debug, Clone)]
pub struct PriceBook {
    own: Table,
    built_in: &'static Table,
}

impl PriceBook {
    /// The built-in prices alone.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static ALONE: LazyLock<PriceBook> = LazyLock::new(|| PriceBook::with_overrides(&[]));
        &ALONE
    }

    /// The built-in prices with the user's own over them.
    ///
    /// From its day on, an own price holds for every model that it matches, also where a built-in price names the
    /// model more exactly: an own price for `gpt-4o` covers `gpt-4o-2024-08-06`.
    #[must_use]
    pub fn with_overrides(own: &[Price]) -> Self {
        Self { own: Table::new(own.to_vec()), built_in: &BUILT_IN }
    }

    /// What a call costs. `None` when no price covers it.
    #[must_use]
    pub fn cost(&self, model: &str, provider: Option<&str>, at: Timestamp, usage: &Usage) -> Option<Nanos> {
        self.resolve(model, provider, at)?.price.cost(usage)
    }

    /// The price that holds for a model, at a provider if it is known, at an instant. `None` when there is none.
    #[must_use]
    pub fn resolve(&self, model: &str, provider: Option<&str>, at: Timestamp) -> Option<Resolved<'_>> {
        let own = if self.own.prices.is_empty() { None } else { self.own.find(model, provider, at) };
        if let Some((price, false)) = own {
            return Some(Resolved { price, before_first_date: false, own: true });
        }
        if let Some((price, before_first_date)) = self.built_in.find(model, provider, at) {
            return Some(Resolved { price, before_first_date, own: false });
        }
        own.map(|(price, before_first_date)| Resolved { price, before_first_date, own: true })
    }

    /// The user's own prices, in the order in which they were given.
    #[must_use]
    pub fn own_prices(&self) -> &[Price] {
        &self.own.prices
    }

    /// The built-in prices, by model and day.
    #[must_use]
    pub fn built_in_prices(&self) -> &'static [Price] {
        &self.built_in.prices
    }

    /// What is wrong with the prices, in words; nothing when all is well.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems = self.own.problems();
        problems.extend(self.built_in.problems());
        problems
    }
}

impl Default for PriceBook {
    fn default() -> Self {
        Self::built_in().clone()
    }
}

static BUILT_IN: LazyLock<Table> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        prices: Vec<Price>,
    }
    #[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
    let file: File = serde_json::from_str(include_str!("../data/prices.json")).expect("built-in prices are valid");
    Table::new(file.prices)
});

/// Prices, and where to find them.
#[derive(Debug, Clone)]
struct Table {
    prices: Vec<Price>,
    by_model: HashMap<Box<str>, Vec<Listing>>,
    /// Beginnings of ids, the longest first.
    patterns: Vec<(Box<str>, Vec<Listing>)>,
}

/// The prices of one model at one provider, or at any.
#[derive(Debug, Clone)]
struct Listing {
    provider: Option<Box<str>>,
    /// Instants from which prices hold, and the prices' places in the table, from the earliest to the latest.
    steps: Vec<(Timestamp, usize)>,
}

impl Table {
    fn new(prices: Vec<Price>) -> Self {
        let mut by_model: HashMap<Box<str>, Vec<Listing>> = HashMap::new();
        for (place, price) in prices.iter().enumerate() {
            let provider = price.provider.as_deref().map(names::canonical_provider).map(Box::from);
            let listings = by_model.entry(price.model.to_lowercase().into()).or_default();
            let step = (price.start(), place);
            match listings.iter_mut().find(|listing| listing.provider == provider) {
                Some(listing) => listing.steps.push(step),
                None => listings.push(Listing { provider, steps: vec![step] }),
            }
        }
        let mut patterns: Vec<(Box<str>, Vec<Listing>)> = Vec::new();
        by_model.retain(|model, listings| {
            // A later price of the same day wins, as the one that was written after.
            listings.iter_mut().for_each(|listing| listing.steps.sort_by_key(|(start, _)| *start));
            let Some(beginning) = model.strip_suffix('*') else { return true };
            patterns.push((Box::from(beginning), std::mem::take(listings)));
            false
        });
        patterns.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        Self { prices, by_model, patterns }
    }

    /// The price of a model at an instant, and whether the instant is before the first that is known.
    fn find(&self, model: &str, provider: Option<&str>, at: Timestamp) -> Option<(&Price, bool)> {
        // The provider in the id says where the call went; the one beside it is often only the client library's.
        let provider = names::provider_in(model).or_else(|| provider.map(names::canonical_provider));
        let listing = self.listing(model, provider)?;
        let after = listing.steps.partition_point(|(start, _)| *start <= at);
        let (_, place) = listing.steps.get(after.saturating_sub(1))?;
        self.prices.get(*place).map(|price| (price, after == 0))
    }

    fn listing(&self, model: &str, provider: Option<&str>) -> Option<&Listing> {
        let named = |name: &str| self.by_model.get(name).and_then(|listings| pick(listings, provider));
        if let Some(found) = named(model) {
            return Some(found);
        }
        let name = names::lower(model);
        let mut candidates = names::Candidates::of(&name);
        if let Some(found) = candidates.find_map(|candidate| named(&candidate)) {
            return Some(found);
        }
        let bare = names::bare(&name);
        self.patterns
            .iter()
            .filter(|(beginning, _)| name.starts_with(&**beginning) || bare.starts_with(&**beginning))
            .find_map(|(_, listings)| pick(listings, provider))
    }

    fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.prices.iter().flat_map(Price::problems).collect();
        let mut seen = HashMap::new();
        for price in &self.prices {
            let provider = price.provider.as_deref().map(names::canonical_provider);
            if seen.insert((price.model.to_lowercase(), provider, price.from), ()).is_some() {
                problems.push(format!("{} from {}: it has two prices from the same day", price.model, price.from));
            }
        }
        problems
    }
}

/// The listing of a provider, or else the one that holds for any.
fn pick<'a>(listings: &'a [Listing], provider: Option<&str>) -> Option<&'a Listing> {
    let of = |wanted: Option<&str>| listings.iter().find(|listing| listing.provider.as_deref() == wanted);
    provider.and_then(|name| of(Some(name))).or_else(|| of(None))
}

#[cfg(test)]
mod tests;
