//! Time as the program keeps it: whole microseconds since the epoch, UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Microseconds in an hour.
pub const HOUR_MICROS: i64 = 3_600_000_000;
/// Microseconds in a day of 24 hours.
pub const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// The first instant that is accepted from outside: 2000-01-01.
pub const EARLIEST: Timestamp = Timestamp(946_684_800_000_000);
/// The last instant that is accepted from outside: 2100-01-01.
pub const LATEST: Timestamp = Timestamp(4_102_444_800_000_000);

/// An instant: microseconds since the epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant as microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Makes an instant of nanoseconds since the epoch, rounding down.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        // A u64 of nanoseconds over 1,000 is always below i64::MAX.
        Self((nanos / 1_000).cast_signed())
    }

    /// Makes an instant of whole seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// This instant moved by some microseconds; stops at the ends of the range.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This instant moved by some milliseconds; stops at the ends of the range.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }

    /// Milliseconds from `earlier` to this instant; never negative.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        let micros = self.0.saturating_sub(earlier.0);
        if micros < 0 { 0 } else { micros / 1_000 }
    }

    /// Whole hours since the epoch, UTC: the bucket of an hourly tally.
    #[must_use]
    pub const fn hour(self) -> i32 {
        // Plausible instants fit; absurd ones are clamped before they get here.
        self.0.div_euclid(HOUR_MICROS) as i32
    }

    /// Whole days since the epoch, UTC: the bucket of a daily tally.
    #[must_use]
    pub const fn day(self) -> i32 {
        self.0.div_euclid(DAY_MICROS) as i32
    }

    /// Whether the instant lies between 2000 and 2100. What lies outside is a broken clock or a wrong unit.
    #[must_use]
    pub fn is_plausible(self) -> bool {
        (EARLIEST..LATEST).contains(&self)
    }

    /// The instant as jiff knows it; the epoch where it lies outside of jiff's range.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Makes an instant of jiff's.
    #[must_use]
    pub fn from_jiff(at: jiff::Timestamp) -> Self {
        Self(at.as_microsecond())
    }

    /// Reads RFC 3339, or a civil date and time, which is taken as UTC. `None` when it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Self::from_jiff(at));
        }
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(Self::from_jiff(zoned.timestamp()))
    }

    /// The instant in RFC 3339, UTC.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.to_jiff().to_string()
    }
}

/// A stretch of time, `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
}

impl Period {
    /// Whether an instant lies inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The length in hours.
    #[must_use]
    pub fn hours(&self) -> f64 {
        (self.end.0 - self.start.0) as f64 / HOUR_MICROS as f64
    }

    /// The period of the same length that ends where this one starts.
    #[must_use]
    pub fn before(&self) -> Self {
        let length = self.end.0 - self.start.0;
        Self { start: Timestamp(self.start.0 - length), end: self.start }
    }

    /// Whole civil days of a zone, from the first to the last, both included.
    ///
    /// `None` when the days are out of order or out of the calendar's range.
    #[must_use]
    pub fn of_days(first: Date, last: Date, zone: &TimeZone) -> Option<Self> {
        let end = last.tomorrow().ok()?;
        let start = Timestamp::from_jiff(first.to_zoned(zone.clone()).ok()?.timestamp());
        let end = Timestamp::from_jiff(end.to_zoned(zone.clone()).ok()?.timestamp());
        (start < end).then_some(Self { start, end })
    }

    /// The whole UTC days inside, and the UTC hours of the ragged ends, as half-open bucket ranges.
    ///
    /// A zone whose offset is not whole hours has its bounds moved down to the hour in which they fall.
    #[must_use]
    pub fn buckets(&self) -> Buckets {
        Buckets::of_hours(self.start.hour(), self.end.hour())
    }

    /// The period as stretches in which a zone's clocks stay as they are, in order.
    ///
    /// Bounds, and changes of the clocks, that do not fall on a whole UTC hour are moved as [`buckets`](Self::buckets)
    /// moves them. A zone has two changes a year or none; after a hundred the last offset holds.
    #[must_use]
    pub fn stretches(&self, zone: &TimeZone) -> Vec<Stretch> {
        let end = self.end.hour();
        let hours_ahead = |at: Timestamp| zone.to_offset(at.to_jiff()).seconds().div_euclid(3_600);
        let changes = zone.following(self.start.to_jiff()).map(|change| Timestamp::from_jiff(change.timestamp()));
        let mut stretches = Vec::new();
        let (mut from, mut hours) = (self.start.hour(), hours_ahead(self.start));
        for change in changes.take_while(|change| *change < self.end).take(100) {
            let to = change.plus_micros(HOUR_MICROS - 1).hour().min(end);
            if from < to {
                stretches.push(Stretch { hours: (from, to), hours_ahead: hours });
            }
            (from, hours) = (to, hours_ahead(change));
        }
        if from < end {
            stretches.push(Stretch { hours: (from, end), hours_ahead: hours });
        }
        stretches
    }
}

/// Part of a period in which the clocks of a zone stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Hours since the epoch, UTC, half-open.
    pub hours: (i32, i32),
    /// By how many whole hours the clocks are ahead of UTC, rounded down: enough to tell on which of the zone's days an
    /// hour begins.
    pub hours_ahead: i32,
}

/// A period as buckets of tallies: whole UTC days, and hours at both ends; all half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Days since the epoch.
    pub days: (i32, i32),
    /// Hours since the epoch, before and after the days.
    pub hours: [(i32, i32); 2],
}

impl Buckets {
    /// The buckets of a half-open range of hours since the epoch.
    #[must_use]
    pub fn of_hours(first_hour: i32, end_hour: i32) -> Self {
        let first_day = first_hour.div_euclid(24) + i32::from(first_hour.rem_euclid(24) != 0);
        let end_day = end_hour.div_euclid(24);
        if first_day >= end_day {
            return Self { days: (0, 0), hours: [(first_hour, end_hour), (0, 0)] };
        }
        Self { days: (first_day, end_day), hours: [(first_hour, first_day * 24), (end_day * 24, end_hour)] }
    }

    /// The ranges that are not empty: the grain of their tallies, 1 for days and 0 for hours, and the buckets.
    pub fn ranges(&self) -> impl Iterator<Item = (i16, (i32, i32))> {
        [(1, self.days), (0, self.hours[0]), (0, self.hours[1])].into_iter().filter(|(_, (from, to))| from < to)
    }
}

/// A calendar month of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
}

impl Month {
    /// Reads `2026-10`. `None` when it is not a month between 2000 and 2100.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let month = Self { year: year.parse().ok()?, month: month.parse().ok()? };
        (text.len() == 7 && (2000..2100).contains(&month.year) && (1..=12).contains(&month.month)).then_some(month)
    }

    /// The month in which an instant lies, in a zone.
    #[must_use]
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let date = at.to_jiff().to_zoned(zone.clone()).date();
        Self { year: date.year(), month: date.month() }
    }

    /// The month before.
    #[must_use]
    pub fn before(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { month: self.month - 1, ..self } }
    }

    /// The whole month in a zone. `None` out of the calendar's range.
    #[must_use]
    pub fn period(self, zone: &TimeZone) -> Option<Period> {
        let first = Date::new(self.year, self.month, 1).ok()?;
        Period::of_days(first, first.last_of_month(), zone)
    }

    /// The month in words: "October 2026".
    #[must_use]
    pub fn in_words(self) -> String {
        const NAMES: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let name = NAMES.get(usize::from(self.month.unsigned_abs()).wrapping_sub(1)).copied().unwrap_or("?");
        format!("{name} {}", self.year)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_hour_falls_on_the_day_of_the_zone_on_which_it_begins() {
        for name in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
        {
            let zone = TimeZone::get(name).expect("a zone");
            let days = |year, month| Period::of_days(date(year, month, 1), date(year, month, 30), &zone).expect("days");
            for period in [days(2026, 3), days(2026, 4), days(2026, 10), days(2026, 11), days(2011, 12)] {
                let mut hours = period.start.hour();
                for stretch in period.stretches(&zone) {
                    assert_eq!(stretch.hours.0, hours, "{name}");
                    for hour in stretch.hours.0..stretch.hours.1 {
                        let begins = Timestamp(i64::from(hour) * HOUR_MICROS).to_jiff().to_zoned(zone.clone()).date();
                        let day = begins.duration_since(date(1970, 1, 1)).as_hours() / 24;
                        assert_eq!(i64::from((hour + stretch.hours_ahead).div_euclid(24)), day, "{name} {begins}");
                    }
                    hours = stretch.hours.1;
                }
                assert_eq!(hours, period.end.hour(), "{name}");
            }
        }
    }

    #[test]
    fn a_month_in_a_zone_is_whole_days_and_ragged_hours() {
        let zone = TimeZone::get("America/New_York").expect("bundled");
        let october = Month::parse("2026-10").expect("a month").period(&zone).expect("in range");
        let buckets = october.buckets();
        // Four hours behind UTC at both ends: 20 hours up to the first midnight, 4 after the last.
        assert_eq!(buckets.days.1 - buckets.days.0, 30);
        assert_eq!(buckets.hours[0].1 - buckets.hours[0].0, 20);
        assert_eq!(buckets.hours[1].1 - buckets.hours[1].0, 4);
    }

    #[test]
    fn a_month_with_a_clock_change_is_an_hour_longer() {
        let zone = TimeZone::get("Europe/Berlin").expect("bundled");
        let october = Month::parse("2026-10").expect("a month").period(&zone).expect("in range");
        assert!((october.hours() - (31.0 * 24.0 + 1.0)).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_a_month_is_refused() {
        for text in ["2026-13", "2026-1", "26-01", "2026/10", "", "1999-01"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn civil_times_are_taken_as_utc() {
        assert_eq!(Timestamp::parse("2025-08-01T16:20:44.321269"), Timestamp::parse("2025-08-01T16:20:44.321269Z"));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
