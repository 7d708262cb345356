//! A client's business hours: opening times by weekday in the client's zone, and days on which it is closed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Opening times of one weekday, in minutes after midnight, half-open. Empty is closed.
pub type Openings = Vec<(u16, u16)>;

/// When a business is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessHours {
    /// Monday to Sunday.
    pub weekdays: [Openings; 7],
    /// Days on which it is closed whatever the weekday, as `2026-12-25`.
    #[serde(default)]
    pub closed_on: Vec<Date>,
}

impl Default for BusinessHours {
    /// Monday to Friday, 9 to 17.
    fn default() -> Self {
        let open = vec![(9 * 60, 17 * 60)];
        Self {
            weekdays: [open.clone(), open.clone(), open.clone(), open.clone(), open, Vec::new(), Vec::new()],
            closed_on: Vec::new(),
        }
    }
}

impl BusinessHours {
    /// Whether the business is open at an instant, in its zone.
    #[must_use]
    pub fn is_open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let local = at.to_jiff().to_zoned(zone.clone());
        if self.closed_on.contains(&local.date()) {
            return false;
        }
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let weekday = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        self.weekdays[weekday].iter().any(|(from, to)| (*from..*to).contains(&minute))
    }

    /// Reads lines such as `Mon-Fri 09:00-17:00, 18:00-20:00`; a weekday that is not named is closed.
    ///
    /// # Errors
    ///
    /// Says which line is wrong, in words for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut hours = Self { weekdays: Default::default(), closed_on: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(day) = line.strip_prefix("closed ") {
                hours.closed_on.push(day.trim().parse().map_err(|_| format!("“{day}” is not a date like 2026-12-25"))?);
                continue;
            }
            let (days, times) =
                line.split_once(' ').ok_or_else(|| format!("“{line}” has no times: write Mon-Fri 09:00-17:00"))?;
            let days = parse_days(days)?;
            for span in times.split(',').map(str::trim) {
                let span = span.split_once('-').and_then(|(a, b)| Some((parse_minute(a)?, parse_minute(b)?)));
                let span =
                    span.filter(|(from, to)| from < to).ok_or_else(|| format!("“{times}” is not like 09:00-17:00"))?;
                for day in &days {
                    hours.weekdays[*day].push(span);
                }
            }
        }
        Ok(hours)
    }

    /// Writes what [`BusinessHours::parse`] reads.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut lines = Vec::new();
        let mut first = 0;
        while first < 7 {
            let mut last = first;
            while last + 1 < 7 && self.weekdays[last + 1] == self.weekdays[first] {
                last += 1;
            }
            if !self.weekdays[first].is_empty() {
                let days =
                    if first == last { DAYS[first].to_owned() } else { format!("{}-{}", DAYS[first], DAYS[last]) };
                let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
                let times: Vec<_> =
                    self.weekdays[first].iter().map(|(a, b)| format!("{}-{}", clock(*a), clock(*b))).collect();
                lines.push(format!("{days} {}", times.join(", ")));
            }
            first = last + 1;
        }
        lines.extend(self.closed_on.iter().map(|day| format!("closed {day}")));
        lines.join("\n")
    }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn parse_days(text: &str) -> Result<Vec<usize>, String> {
    let day = |name: &str| {
        DAYS.iter()
            .position(|d| name.len() >= 3 && name.is_char_boundary(3) && d.eq_ignore_ascii_case(&name[..3]))
            .ok_or_else(|| format!("“{name}” is not a weekday"))
    };
    match text.split_once('-') {
        None => Ok(vec![day(text)?]),
        Some((from, to)) => {
            let (from, to) = (day(from)?, day(to)?);
            Ok((0..7).map(|i| (from + i) % 7).take((to + 7 - from) % 7 + 1).collect())
        }
    }
}

fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60 || (hour, minute) == (24, 0)).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_in_the_zone_across_a_clock_change() {
        let hours = BusinessHours::parse("Mon-Fri 09:00-17:00\nclosed 2026-12-25").expect("valid");
        let zone = TimeZone::get("Europe/Berlin").expect("bundled");
        let open = |text: &str| hours.is_open(Timestamp::parse(text).expect("a time"), &zone);
        assert!(open("2026-10-23T07:30:00Z"), "Friday 09:30 in summer time");
        assert!(!open("2026-10-26T07:30:00Z"), "Monday 08:30 in winter time");
        assert!(open("2026-10-26T08:30:00Z"));
        assert!(!open("2026-10-24T10:00:00Z"), "Saturday");
        assert!(!open("2026-12-25T10:00:00Z"), "closed");
    }

    #[test]
    fn hours_survive_their_text() {
        let text = "Mon-Thu 08:00-12:00, 13:00-18:00\nFri 08:00-12:00\nclosed 2026-12-25";
        assert_eq!(BusinessHours::parse(text).expect("valid").in_words(), text);
        assert_eq!(BusinessHours::parse(&BusinessHours::default().in_words()), Ok(BusinessHours::default()));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for text in ["Mon", "Xyz 09:00-17:00", "Mon 17:00-09:00", "Mon 9-17", "closed soon", "Mo–Fr 09:00-17:00"] {
            assert!(BusinessHours::parse(text).is_err(), "{text}");
        }
    }
}
