//! How numbers, money, durations and times are written: one way everywhere.
//!
//! Cards show three significant digits and keep the full value for hovering; tables show what fits a column.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::tz::TimeZone;
use steward_core::money::{Currency, Nanos};
use steward_core::time::Timestamp;

use super::html::Escaped;

/// A value as shown, and in full for hovering.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// As shown: `12.4 k`.
    pub text: String,
    /// The unit, where it stands smaller beside the value: `%`, `h`.
    pub unit: String,
    /// In full: `12,431`. Empty when it says no more than `text`.
    pub full: String,
}

impl Shown {
    /// A value that is shown in full.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A value with its unit.
    #[must_use]
    pub fn with_unit(text: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { text: text.into(), unit: unit.into(), full: String::new() }
    }
}

/// A whole number with its thousands separated: `12,431`.
#[must_use]
pub fn count(n: u64) -> String {
    group(&n.to_string())
}

/// A number that was counted up to `most` and no further: `431`, `10,000 or more`.
#[must_use]
pub fn count_up_to(n: u64, most: u32) -> String {
    if n >= u64::from(most) { format!("{} or more", count(n)) } else { count(n) }
}

/// A whole number that may be negative: `−1,204`.
#[must_use]
pub fn signed_count(n: i64) -> String {
    let digits = group(&n.unsigned_abs().to_string());
    if n < 0 { format!("−{digits}") } else { digits }
}

/// A count for a card: in full up to 99,999, then three significant digits: `124 k`, `1.23 M`.
#[must_use]
pub fn count_short(n: u64) -> Shown {
    if n < 100_000 {
        return Shown::plain(count(n));
    }
    let (value, unit) = if n < 1_000_000 {
        (n as f64 / 1e3, "k")
    } else if n < 1_000_000_000 {
        (n as f64 / 1e6, "M")
    } else {
        (n as f64 / 1e9, "bn")
    };
    Shown { text: significant(value), unit: unit.to_owned(), full: count(n) }
}

/// A number with three significant digits, thousands separated: `0.0421`, `3.14`, `1,230`. `no data` when it is not finite.
#[must_use]
pub fn significant(value: f64) -> String {
    if !value.is_finite() {
        return "no data".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    if magnitude >= 2.0 {
        let scale = 10f64.powf(magnitude - 2.0);
        return decimals((value / scale).round() * scale, 0);
    }
    let places = (2.0 - magnitude).clamp(0.0, 9.0) as usize;
    trim_zeros(&decimals(value, places))
}

/// A number with a fixed count of decimals, thousands separated, and a real minus sign.
#[must_use]
pub fn decimals(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "no data".to_owned();
    }
    let text = format!("{:.places$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let grouped = group(whole);
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}

/// A share between 0 and 1 as a percentage for a card: `83.9` with the unit `%`.
///
/// What is not quite all is never shown as all, and what is not quite nothing never as nothing.
#[must_use]
pub fn share(value: f64) -> Shown {
    Shown { text: percent_digits(value), unit: "%".to_owned(), full: format!("{} %", decimals(value * 100.0, 4)) }
}

/// A share between 0 and 1 as a percentage in a line: `83.9 %`.
#[must_use]
pub fn percent(value: f64) -> String {
    if value.is_finite() { format!("{} %", percent_digits(value)) } else { "no data".to_owned() }
}

fn percent_digits(value: f64) -> String {
    let percent = value * 100.0;
    if value < 1.0 && percent >= 99.95 {
        ">99.9".to_owned()
    } else if value > 0.0 && percent < 0.05 {
        "<0.1".to_owned()
    } else if value == 1.0 || value == 0.0 {
        decimals(percent, 0)
    } else {
        decimals(percent, 1)
    }
}

/// The ends of an interval of a share: `81.5 – 86.0 %`.
#[must_use]
pub fn interval(low: f64, high: f64) -> String {
    format!("{} – {} %", decimals(low * 100.0, 1), decimals(high * 100.0, 1))
}

/// A fraction in words: `842 of 1,004`.
#[must_use]
pub fn of(part: u64, whole: u64) -> String {
    format!("{} of {}", count(part), count(whole))
}

/// A duration as people say it: `840 ms`, `4.2 s`, `1 m 12 s`, `2 h 05 m`, `3 d 4 h`.
#[must_use]
pub fn duration_ms(ms: i64) -> String {
    let sign = if ms < 0 { "−" } else { "" };
    let ms = ms.unsigned_abs();
    let text = if ms < 1_000 {
        format!("{ms} ms")
    } else if ms < 9_950 {
        format!("{:.1} s", ms as f64 / 1e3)
    } else {
        let s = (ms + 500) / 1_000;
        if s < 60 {
            format!("{s} s")
        } else if s < 3_600 {
            if s.is_multiple_of(60) { format!("{} m", s / 60) } else { format!("{} m {} s", s / 60, s % 60) }
        } else if s < 86_400 {
            format!("{} h {:02} m", s / 3_600, s % 3_600 / 60)
        } else {
            format!("{} d {} h", group(&(s / 86_400).to_string()), s % 86_400 / 3_600)
        }
    };
    format!("{sign}{text}")
}

/// Hours for a card: `38.2` with the unit `h`.
#[must_use]
pub fn hours(hours: f64) -> Shown {
    Shown { text: significant(hours), unit: "h".to_owned(), full: format!("{} h", decimals(hours, 2)) }
}

/// Money in full cents, or as many decimals as an amount below a unit needs: `$1,204.50`, `$0.0042`.
#[must_use]
pub fn money(amount: Nanos, currency: Currency) -> String {
    let units = amount.units();
    let places = match units.abs() {
        u if u == 0.0 || u >= 1.0 => 2,
        u if u >= 0.1 => 3,
        u if u >= 0.001 => 4,
        _ => 6,
    };
    let digits = decimals(units.abs(), places);
    format!("{}{}{digits}", if amount.0 < 0 { "−" } else { "" }, currency.sign())
}

/// Money for a card: three significant digits from a thousand up (`$12.4 k`), in cents below; in full for hovering.
#[must_use]
pub fn money_short(amount: Nanos, currency: Currency) -> Shown {
    let units = amount.units();
    let sign = if amount.0 < 0 { "−" } else { "" };
    let full = format!("{sign}{}{} {}", currency.sign(), decimals(units.abs(), 6), currency.code());
    let text = match units.abs() {
        u if u >= 1e6 => format!("{sign}{}{} M", currency.sign(), significant(u / 1e6)),
        u if u >= 1e4 => format!("{sign}{}{} k", currency.sign(), significant(u / 1e3)),
        u if u >= 100.0 => format!("{sign}{}{}", currency.sign(), decimals(u, 0)),
        _ => money(amount, currency),
    };
    Shown { text, unit: String::new(), full }
}

/// Bytes: `840 B`, `1.2 kB`, `34 MB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} B") } else { format!("{} {}", significant(value), UNITS[unit]) }
}

/// The change of a share in points of a percent, without a sign: `2.1 pts`.
#[must_use]
pub fn points(now: f64, before: f64) -> String {
    format!("{} pts", decimals(((now - before) * 100.0).abs(), 1))
}

/// The change of an amount in percent, without a sign: `12 %`, or `×3.4` from twice up. `None` when there was nothing before.
#[must_use]
pub fn relative_change(now: f64, before: f64) -> Option<String> {
    if before == 0.0 || !before.is_finite() || !now.is_finite() {
        return None;
    }
    let ratio = now / before;
    if ratio >= 2.0 {
        return Some(format!("×{}", significant(ratio)));
    }
    let percent = ((ratio - 1.0) * 100.0).abs();
    Some(format!("{} %", if percent < 10.0 { decimals(percent, 1) } else { decimals(percent, 0) }))
}

/// An instant in a zone: `3 Nov 2026, 14:05`.
#[must_use]
pub fn instant(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned(zone.clone()).strftime("%-d %b %Y, %H:%M").to_string()
}

/// An instant in a zone to the second, with the zone named: `3 Nov 2026, 14:05:09 CET`.
#[must_use]
pub fn instant_in_full(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned(zone.clone()).strftime("%-d %b %Y, %H:%M:%S %Z").to_string()
}

/// A day in a zone: `3 Nov 2026`.
#[must_use]
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned(zone.clone()).strftime("%-d %b %Y").to_string()
}

/// A time as a page shows it: relative under a day, else the day; in full on hover; refreshed by the browser.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Time {
    rfc3339: String,
    text: String,
    full: String,
    is_relative: bool,
}

impl Time {
    /// A time seen from `now`, in the agency's zone.
    #[must_use]
    pub fn new(at: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        let seconds = now.0.saturating_sub(at.0) / 1_000_000;
        let is_relative = (-60..86_400).contains(&seconds);
        let text = match seconds {
            _ if !is_relative => instant(at, zone),
            s if s < 45 => "just now".to_owned(),
            s if s < 3_600 => format!("{} min ago", ((s + 30) / 60).max(1)),
            s => format!("{} h ago", (s + 1_800) / 3_600),
        };
        Self { rfc3339: at.rfc3339(), text, full: instant_in_full(at, zone), is_relative }
    }

    /// A time that is always shown in full to the second.
    #[must_use]
    pub fn exact(at: Timestamp, zone: &TimeZone) -> Self {
        let full = instant_in_full(at, zone);
        Self { rfc3339: at.rfc3339(), text: full.clone(), full, is_relative: false }
    }

    /// The words.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rfc3339.is_empty() {
            return f.write_str("–");
        }
        write!(
            f,
            r#"<time datetime="{}" title="{}"{}>{}</time>"#,
            Escaped(&self.rfc3339),
            Escaped(&self.full),
            if self.is_relative { " data-relative" } else { "" },
            Escaped(&self.text)
        )
    }
}

impl HtmlSafe for Time {}

fn group(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn trim_zeros(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let shown: Vec<_> = [0.0, 0.042_13, 1.0, 2.345, 12.34, 123.4, 1_234.0, -0.5, f64::NAN].map(significant).into();
        assert_eq!(shown, ["0", "0.0421", "1", "2.35", "12.3", "123", "1,230", "−0.5", "no data"]);
        assert_eq!(count_short(1_234_567), Shown { text: "1.23".into(), unit: "M".into(), full: "1,234,567".into() });
        assert_eq!(count(12_431), "12,431");
        assert_eq!(signed_count(-1_204), "−1,204");
    }

    #[test]
    fn what_is_not_quite_all_is_not_shown_as_all() {
        assert_eq!(percent(0.999_9), ">99.9 %");
        assert_eq!(percent(0.000_1), "<0.1 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.8391), "83.9 %");
        assert_eq!(percent(f64::NAN), "no data");
    }

    #[test]
    fn durations_are_said_as_people_do() {
        let said: Vec<_> =
            [0, 840, 4_200, 9_990, 59_700, 72_000, 120_000, 7_500_000, 273_600_000].map(duration_ms).into();
        assert_eq!(said, ["0 ms", "840 ms", "4.2 s", "10 s", "1 m", "1 m 12 s", "2 m", "2 h 05 m", "3 d 4 h"]);
    }

    #[test]
    fn small_money_keeps_its_digits() {
        assert_eq!(money(Nanos(4_213_000), Currency::USD), "$0.0042");
        assert_eq!(money(Nanos(1_204_500_000_000), Currency::USD), "$1,204.50");
        assert_eq!(money(Nanos(-2_000_000_000), Currency::USD), "−$2.00");
        assert_eq!(money_short(Nanos(12_431_000_000_000), Currency::USD).text, "$12.4 k");
    }

    #[test]
    fn a_time_is_relative_under_a_day() {
        let now = Timestamp::parse("2026-11-03T12:00:00Z").expect("a time");
        let time = |text: &str| Time::new(Timestamp::parse(text).expect("a time"), now, &TimeZone::UTC).text;
        assert_eq!(time("2026-11-03T11:59:30Z"), "just now");
        assert_eq!(time("2026-11-03T11:48:00Z"), "12 min ago");
        assert_eq!(time("2026-11-02T13:00:00Z"), "23 h ago");
        assert_eq!(time("2026-11-01T11:00:00Z"), "1 Nov 2026, 11:00");
    }

    #[test]
    fn changes_have_no_sign() {
        assert_eq!(relative_change(110.0, 100.0), Some("10 %".to_owned()));
        assert_eq!(relative_change(300.0, 100.0), Some("×3".to_owned()));
        assert_eq!(relative_change(1.0, 0.0), None);
        assert_eq!(points(0.839, 0.818), "2.1 pts");
        assert_eq!(bytes(34_500_000), "34.5 MB");
    }
}
