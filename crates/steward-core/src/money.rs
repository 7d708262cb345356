//! Money in integers: nano-units (10⁻⁹ of the currency's unit) for run costs, so that sums agree everywhere.

use serde::{Deserialize, Serialize};

/// Nano-units in one unit of a currency.
pub const NANOS_PER_UNIT: i64 = 1_000_000_000;

/// An amount in nano-units of some currency; which one stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub i64);

impl Nanos {
    /// Makes an amount of a number of whole units, rounding to the nearest nano-unit.
    ///
    /// `None` for what is not finite or beyond ±9 billion units.
    #[must_use]
    pub fn from_units(units: f64) -> Option<Self> {
        let nanos = units * NANOS_PER_UNIT as f64;
        (nanos.is_finite() && nanos.abs() < 9.0e18).then(|| Self(nanos.round() as i64))
    }

    /// The amount in whole units; for showing and for ratios only.
    #[must_use]
    pub fn units(self) -> f64 {
        self.0 as f64 / NANOS_PER_UNIT as f64
    }

    /// The sum of two amounts; stops at the ends of the range.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The amount times a ratio, rounded to the nearest nano-unit; stops at the ends of the range.
    #[must_use]
    pub fn times(self, ratio: f64) -> Self {
        let nanos = self.0 as f64 * ratio;
        Self(if nanos.is_nan() { 0 } else { nanos.round() as i64 })
    }
}

/// A currency: three capital letters of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The United States dollar, in which providers of models publish their prices.
    pub const USD: Self = Self(*b"USD");

    /// Reads three capital letters. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// The sign that people write before the amount, or the code and a space where there is none in common use.
    #[must_use]
    pub fn sign(&self) -> String {
        match self.code() {
            "USD" => "$".to_owned(),
            "EUR" => "€".to_owned(),
            "GBP" => "£".to_owned(),
            "JPY" => "¥".to_owned(),
            code => format!("{code} "),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a currency is three capital letters")
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_amounts_are_refused() {
        assert_eq!(Nanos::from_units(f64::NAN), None);
        assert_eq!(Nanos::from_units(f64::INFINITY), None);
        assert_eq!(Nanos::from_units(1e300), None);
        assert_eq!(Nanos::from_units(0.000_000_001), Some(Nanos(1)));
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert_eq!(Currency::parse("EUR").map(|c| c.sign()), Some("€".to_owned()));
        assert_eq!(Currency::parse("eur"), None);
        assert_eq!(Currency::parse("EURO"), None);
    }
}
