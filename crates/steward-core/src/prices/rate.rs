//! A price per million tokens, as an exact number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Digits after the point that a rate can hold.
const DIGITS: usize = 9;

/// US dollars per million tokens, exact to nine digits after the point. Written as decimal text: `"2.5"`.
///
/// Inside it is a whole number of nano-dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(i64);

/// A text that is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a price: write US dollars per million tokens, such as 2.50")]
pub struct NotARate(String);

impl Rate {
    /// The rate in nano-dollars per million tokens.
    #[must_use]
    pub const fn nanos_per_million(self) -> i64 {
        self.0
    }

    /// Whether it is below 0, which no price is.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let missing = DIGITS.checked_sub(fraction.len())?;
        let number: i64 = format!("{whole}{fraction}{:0<missing$}", "").parse().ok()?;
        Some(Self(if negative { -number } else { number }))
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.trim()).ok_or_else(|| NotARate(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNIT: u64 = 10u64.pow(DIGITS as u32);
        let (whole, fraction) = (self.0.unsigned_abs() / UNIT, self.0.unsigned_abs() % UNIT);
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{fraction:09}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_is_read_exactly() {
        for (text, nanos) in [
            ("2.5", 2_500_000_000),
            ("0.0375", 37_500_000),
            ("15", 15_000_000_000),
            (".1", 100_000_000),
            ("0", 0),
            ("1.000000000000", 1_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Rate(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_decimal_number_is_refused() {
        for text in
            ["", ".", "-", "1e-6", "1,5", "$2", "NaN", "1.2.3", "0.0000000001", "99999999999999999999", "--1", "+1"]
        {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_rate_survives_its_text(nanos in (-i64::MAX..=i64::MAX)) {
            prop_assert_eq!(Rate(nanos).to_string().parse(), Ok(Rate(nanos)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<Rate>();
        }
    }
}
