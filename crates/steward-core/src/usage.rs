//! Tokens as disjoint buckets, so that a sum never counts one twice.
//!
//! Dialects disagree on whether "input tokens" include the cached ones; [`Usage::normalise`] settles it
//! once, keeps what was reported, and says on which basis it read it.

use serde::{Deserialize, Serialize};

/// How a dialect reports totals: with the details inside, beside, or nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// `input` includes cached tokens, `output` includes reasoning (OpenTelemetry, OpenInference, OpenAI).
    Inclusive,
    /// `input` excludes cached tokens (Anthropic's own API, Langfuse's usage details).
    Exclusive,
    /// The dialect does not say; read as inclusive where the numbers allow it.
    #[default]
    Unknown,
}

/// Token counts as a dialect reported them. `None` is "not said", which is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportedUsage {
    /// Input tokens, on the dialect's basis.
    pub input: Option<u64>,
    /// Output tokens, on the dialect's basis.
    pub output: Option<u64>,
    /// Input tokens read from a cache.
    pub cache_read: Option<u64>,
    /// Input tokens written to a cache, of no stated lifetime.
    pub cache_write: Option<u64>,
    /// Input tokens written to a cache that lives five minutes.
    pub cache_write_5m: Option<u64>,
    /// Input tokens written to a cache that lives an hour.
    pub cache_write_1h: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<u64>,
    /// Input tokens of audio.
    pub input_audio: Option<u64>,
    /// Output tokens of audio.
    pub output_audio: Option<u64>,
    /// Input tokens of images.
    pub input_image: Option<u64>,
    /// The sum of input and output where only that, or that too, was reported.
    pub total: Option<u64>,
}

/// Token counts in disjoint buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input tokens of text that came from no cache and went to none.
    #[serde(skip_serializing_if = "is_zero")]
    pub input: u64,
    /// Input tokens read from a cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Input tokens written to a cache of no stated lifetime.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write: u64,
    /// Input tokens written to a cache that lives five minutes.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_5m: u64,
    /// Input tokens written to a cache that lives an hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Input tokens of audio.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_audio: u64,
    /// Input tokens of images.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_image: u64,
    /// Output tokens of text, without reasoning.
    #[serde(skip_serializing_if = "is_zero")]
    pub output: u64,
    /// Output tokens spent on reasoning.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    /// Output tokens of audio.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_audio: u64,
    /// On which basis the report was read.
    pub basis: Basis,
    /// The parts were larger than the whole, so the report was read as exclusive against its dialect's word.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inconsistent: bool,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The most tokens that one call can plausibly report; more is a broken counter and is cut here.
const MAX_TOKENS: u64 = 1_000_000_000;

impl Usage {
    /// Settles a report into disjoint buckets. `None` when nothing was reported at all.
    #[must_use]
    pub fn normalise(reported: ReportedUsage, basis: Basis) -> Option<Self> {
        let parts = [
            reported.input,
            reported.output,
            reported.cache_read,
            reported.cache_write,
            reported.cache_write_5m,
            reported.cache_write_1h,
            reported.reasoning,
            reported.input_audio,
            reported.output_audio,
            reported.input_image,
            reported.total,
        ];
        if parts.iter().all(Option::is_none) {
            return None;
        }
        let cut = |n: Option<u64>| n.unwrap_or(0).min(MAX_TOKENS);
        let mut usage = Self {
            cache_read: cut(reported.cache_read),
            cache_write: cut(reported.cache_write),
            cache_write_5m: cut(reported.cache_write_5m),
            cache_write_1h: cut(reported.cache_write_1h),
            input_audio: cut(reported.input_audio),
            input_image: cut(reported.input_image),
            reasoning: cut(reported.reasoning),
            output_audio: cut(reported.output_audio),
            basis,
            ..Self::default()
        };
        // The writes of a stated lifetime are a part of the writes where both are reported.
        usage.cache_write = usage.cache_write.saturating_sub(usage.cache_write_5m + usage.cache_write_1h);
        let output = reported.output.or_else(|| reported.total.and_then(|t| t.checked_sub(reported.input?)));
        let input = reported.input.or_else(|| reported.total.map(|t| t.saturating_sub(output.unwrap_or(0))));
        let (input, output) = (cut(input), cut(output));
        let cached = usage.cache_read + usage.cache_write + usage.cache_write_5m + usage.cache_write_1h;
        let input_parts = cached + usage.input_audio + usage.input_image;
        let output_parts = usage.reasoning + usage.output_audio;
        match basis {
            Basis::Exclusive => {
                usage.input = input.saturating_sub(usage.input_audio + usage.input_image);
                usage.output = output.saturating_sub(output_parts);
            }
            Basis::Inclusive | Basis::Unknown => {
                if cached > input {
                    usage.basis = Basis::Exclusive;
                    usage.inconsistent = basis == Basis::Inclusive;
                    usage.input = input.saturating_sub(usage.input_audio + usage.input_image);
                } else {
                    usage.input = input.saturating_sub(input_parts);
                }
                if output_parts > output {
                    usage.inconsistent = true;
                    usage.output = output;
                } else {
                    usage.output = output - output_parts;
                }
            }
        }
        Some(usage)
    }

    /// All input tokens, cached or not.
    #[must_use]
    pub fn total_input(&self) -> u64 {
        self.input + self.total_cache_write() + self.cache_read + self.input_audio + self.input_image
    }

    /// All input tokens written to a cache.
    #[must_use]
    pub fn total_cache_write(&self) -> u64 {
        self.cache_write + self.cache_write_5m + self.cache_write_1h
    }

    /// All output tokens, reasoning included.
    #[must_use]
    pub fn total_output(&self) -> u64 {
        self.output + self.reasoning + self.output_audio
    }

    /// All tokens.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total_input() + self.total_output()
    }

    /// The bucket-wise sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            input: self.input + other.input,
            cache_read: self.cache_read + other.cache_read,
            cache_write: self.cache_write + other.cache_write,
            cache_write_5m: self.cache_write_5m + other.cache_write_5m,
            cache_write_1h: self.cache_write_1h + other.cache_write_1h,
            input_audio: self.input_audio + other.input_audio,
            input_image: self.input_image + other.input_image,
            output: self.output + other.output,
            reasoning: self.reasoning + other.reasoning,
            output_audio: self.output_audio + other.output_audio,
            basis: self.basis,
            inconsistent: self.inconsistent || other.inconsistent,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inclusive_counts_are_split() {
        let reported = ReportedUsage {
            input: Some(100),
            cache_read: Some(60),
            cache_write: Some(10),
            output: Some(50),
            reasoning: Some(20),
            ..ReportedUsage::default()
        };
        let usage = Usage::normalise(reported, Basis::Inclusive).expect("reported");
        assert_eq!(
            (usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning),
            (30, 60, 10, 30, 20)
        );
        assert_eq!(usage.total(), 150);
    }

    #[test]
    fn more_cached_than_input_is_read_as_exclusive_and_flagged() {
        let reported =
            ReportedUsage { input: Some(4), cache_read: Some(1_165), output: Some(9), ..ReportedUsage::default() };
        let usage = Usage::normalise(reported, Basis::Inclusive).expect("reported");
        assert_eq!(
            (usage.input, usage.cache_read, usage.inconsistent, usage.basis),
            (4, 1_165, true, Basis::Exclusive)
        );
    }

    #[test]
    fn nothing_reported_is_none() {
        assert_eq!(Usage::normalise(ReportedUsage::default(), Basis::Inclusive), None);
    }

    proptest! {
        #[test]
        fn the_buckets_of_a_consistent_report_add_up(input in 0u64..100_000, read in 0u64..100_000, output in 0u64..100_000, reasoning in 0u64..100_000) {
            prop_assume!(read <= input && reasoning <= output);
            let reported = ReportedUsage {
                input: Some(input), cache_read: Some(read), output: Some(output), reasoning: Some(reasoning), ..ReportedUsage::default()
            };
            let usage = Usage::normalise(reported, Basis::Inclusive).expect("reported");
            prop_assert_eq!(usage.total(), input + output);
            prop_assert!(!usage.inconsistent);
        }

        #[test]
        fn no_report_makes_it_panic(n in proptest::array::uniform11(proptest::option::of(any::<u64>()))) {
            let reported = ReportedUsage {
                input: n[0], output: n[1], cache_read: n[2], cache_write: n[3], cache_write_5m: n[4], cache_write_1h: n[5],
                reasoning: n[6], input_audio: n[7], output_audio: n[8], input_image: n[9], total: n[10],
            };
            for basis in [Basis::Inclusive, Basis::Exclusive, Basis::Unknown] {
                let _ = Usage::normalise(reported, basis).map(|usage| usage.total());
            }
        }
    }
}
