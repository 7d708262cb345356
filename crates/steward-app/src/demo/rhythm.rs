//! When people ask: by weekday and hour in the client's zone, with days on which hardly anybody does.

use jiff::civil::{Date, Weekday};

/// The shape of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// A shop: all day, most in the evening.
    Shop,
    /// Travel: early and late, on every day.
    Travel,
    /// A home: mornings and evenings.
    Home,
    /// An office's telephone, with some calls when it is closed.
    Telephone,
    /// A web site that businesses visit.
    Business,
    /// A program's timer: working days, early.
    Timer,
}

impl Rhythm {
    /// How busy a day is; an ordinary one is 1.
    pub(super) fn of_day(self, date: Date, holidays: Holidays) -> f64 {
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        let weights: [f64; 7] = match self {
            Self::Shop => [1.08, 1.0, 0.97, 0.95, 0.95, 1.0, 1.05],
            Self::Travel => [1.1, 0.95, 0.92, 1.0, 1.15, 0.9, 0.98],
            Self::Home => [1.15, 1.0, 0.95, 0.95, 0.9, 1.0, 1.05],
            Self::Telephone => [1.25, 1.05, 1.0, 0.98, 0.92, 0.5, 0.14],
            Self::Business => [1.05, 1.1, 1.1, 1.05, 0.85, 0.3, 0.28],
            Self::Timer => [1.1, 1.0, 1.0, 1.0, 0.9, 0.06, 0.0],
        };
        let quiet = match self {
            Self::Shop | Self::Home => 0.7,
            Self::Travel => 0.8,
            Self::Telephone => 0.15,
            Self::Business => 0.25,
            Self::Timer => 0.0,
        };
        weights[weekday] * if holidays.holds(date) { quiet } else { 1.0 }
    }

    /// How the runs of a day are spread over its hours.
    pub(super) const fn hours(self) -> [f64; 24] {
        match self {
            Self::Shop => [
                1.2, 0.7, 0.4, 0.3, 0.3, 0.5, 1.1, 2.0, 3.2, 4.4, 5.2, 5.6, 5.8, 5.4, 5.2, 5.2, 5.4, 5.8, 6.4, 7.0,
                7.2, 6.0, 4.0, 2.2,
            ],
            Self::Travel => [
                1.0, 0.7, 0.7, 1.4, 2.8, 4.8, 6.2, 6.6, 6.0, 5.2, 4.6, 4.4, 4.4, 4.4, 4.6, 5.0, 5.8, 6.2, 5.6, 4.8,
                4.0, 3.0, 2.0, 1.4,
            ],
            Self::Home => [
                0.7, 0.4, 0.2, 0.2, 0.3, 0.7, 2.0, 4.0, 5.6, 5.4, 4.8, 4.4, 4.0, 3.8, 3.8, 4.2, 5.0, 6.2, 7.4, 8.0,
                7.0, 5.0, 2.8, 1.4,
            ],
            Self::Telephone => [
                0.1, 0.0, 0.0, 0.0, 0.1, 0.2, 0.8, 3.6, 9.0, 9.6, 8.4, 7.2, 5.6, 6.4, 7.0, 6.8, 5.8, 3.4, 1.8, 1.2,
                0.9, 0.5, 0.3, 0.1,
            ],
            Self::Business => [
                0.4, 0.2, 0.2, 0.2, 0.3, 0.6, 1.6, 3.4, 6.0, 7.6, 8.2, 7.8, 6.4, 6.6, 7.2, 7.0, 6.0, 4.4, 3.2, 2.8,
                2.4, 1.8, 1.2, 0.7,
            ],
            Self::Timer => [
                0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 5.0, 9.0, 6.0, 4.0, 3.0, 3.0, 2.0, 3.0, 3.0, 2.4, 1.8, 1.0, 0.2, 0.0,
                0.0, 0.0, 0.0, 0.0,
            ],
        }
    }
}

/// The public holidays that matter to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holidays {
    America,
    Britain,
    Ireland,
}

impl Holidays {
    /// The holidays of a year.
    pub(super) fn of_year(self, year: i16) -> Vec<Date> {
        let fixed = |month, day| Date::new(year, month, day).ok();
        let nth = |month, n, weekday| Date::new(year, month, 1).ok()?.nth_weekday_of_month(n, weekday).ok();
        let days = match self {
            Self::America => [
                fixed(1, 1),
                nth(5, -1, Weekday::Monday),
                fixed(7, 4),
                nth(9, 1, Weekday::Monday),
                nth(11, 4, Weekday::Thursday),
                fixed(12, 25),
            ],
            Self::Britain => [
                fixed(1, 1),
                nth(5, 1, Weekday::Monday),
                nth(5, -1, Weekday::Monday),
                nth(8, -1, Weekday::Monday),
                fixed(12, 25),
                fixed(12, 26),
            ],
            Self::Ireland => [
                fixed(1, 1),
                fixed(3, 17),
                nth(6, 1, Weekday::Monday),
                nth(8, 1, Weekday::Monday),
                nth(10, -1, Weekday::Monday),
                fixed(12, 25),
            ],
        };
        days.into_iter().flatten().collect()
    }

    fn holds(self, date: Date) -> bool {
        self.of_year(date.year()).contains(&date)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_holiday_is_quiet() {
        let thanksgiving = date(2026, 11, 26);
        assert!(Holidays::America.holds(thanksgiving));
        assert!(Rhythm::Telephone.of_day(thanksgiving, Holidays::America) < 0.2);
        assert!((Rhythm::Telephone.of_day(thanksgiving, Holidays::Britain) - 0.98).abs() < 1e-9);
    }
}
