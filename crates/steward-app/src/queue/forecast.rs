//! Where the queue is going, by what came and went on the last whole days.

use jiff::Span;
use jiff::tz::TimeZone;
use steward_core::time::{Period, Timestamp};
use steward_stats::forecast::{Forecast, forecast};

use super::QueueDay;

/// Days that are looked at: four weeks.
const DAYS: i64 = 28;

/// The four weeks before the local day of an instant. `None` where a calendar ends.
pub(super) fn weeks_before(now: Timestamp, zone: &TimeZone) -> Option<Period> {
    let today = now.to_jiff().to_zoned(zone.clone()).date();
    let first = today.checked_sub(Span::new().days(DAYS)).ok()?;
    Period::of_days(first, today.yesterday().ok()?, zone)
}

/// Where a queue is going. Days before its first do not count, and of the rest whole weeks, so that weekends weigh what
/// they weigh.
pub(super) fn of(days: &[QueueDay], open: u64) -> Forecast {
    let first = days.iter().position(|day| day.arrived > 0 || day.closed > 0).unwrap_or(days.len());
    let since = &days[first..];
    let whole = &since[since.len() % 7..];
    let flow: Vec<(u64, u64)> =
        whole.iter().map(|day| (day.arrived.max(0).unsigned_abs(), day.closed.max(0).unsigned_abs())).collect();
    forecast(&flow, open)
}

/// Where a queue is going, in words for a person: `grows by 3.2 a day (1.1 to 5.3)`.
#[must_use]
pub fn forecast_in_words(forecast: &Forecast) -> String {
    match *forecast {
        Forecast::NoData => "no data: too little came and went in the last four weeks".to_owned(),
        Forecast::Clear => "nothing waits, and it does not grow".to_owned(),
        Forecast::Grows { per_day, interval: (low, high) } => {
            format!("grows by {per_day:.1} a day ({low:.1} to {high:.1})")
        }
        Forecast::Holds { interval: (low, high), .. } => {
            format!("holds: between {low:+.1} and {high:+.1} a day, which may be chance")
        }
        Forecast::Clears { days, interval: (soonest, latest) } => {
            let whole = |days: f64| days.ceil().max(1.0);
            let range = match latest {
                Some(latest) => format!("{:.0} to {:.0}", whole(soonest), whole(latest)),
                None => format!("{:.0} at the soonest", whole(soonest)),
            };
            match whole(days) {
                1.0 => format!("clears in a day ({range})"),
                days => format!("clears in {days:.0} days ({range})"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_told_with_its_interval() {
        let told = |forecast| forecast_in_words(&forecast);
        assert_eq!(told(Forecast::Grows { per_day: 3.2, interval: (1.1, 5.3) }), "grows by 3.2 a day (1.1 to 5.3)");
        assert_eq!(
            told(Forecast::Holds { per_day: 0.1, interval: (-1.0, 1.2) }),
            "holds: between -1.0 and +1.2 a day, which may be chance"
        );
        let clears = |days, latest| told(Forecast::Clears { days, interval: (days / 2.0, latest) });
        assert_eq!(clears(29.2, Some(44.0)), "clears in 30 days (15 to 44)");
        assert_eq!(clears(0.4, None), "clears in a day (1 at the soonest)");
        assert!(told(Forecast::NoData).starts_with("no data"));
    }

    fn days(n: i16, arrived: i64, closed: i64) -> Vec<QueueDay> {
        let first = jiff::civil::date(2026, 11, 1);
        let day = |i| QueueDay {
            date: first.checked_add(Span::new().days(i64::from(i))).expect("a day"),
            arrived,
            closed,
            reviewed: closed,
        };
        (0..n).map(day).collect()
    }

    #[test]
    fn a_queue_that_is_new_is_judged_by_its_own_days_in_whole_weeks() {
        let mut all = days(16, 0, 0);
        all.extend(days(12, 10, 4));
        assert_eq!(of(&all, 72), Forecast::Grows { per_day: 6.0, interval: (6.0, 6.0) });
        assert_eq!(of(&days(28, 0, 0), 3), Forecast::NoData);
        let mut young = days(22, 0, 0);
        young.extend(days(6, 10, 4));
        assert_eq!(of(&young, 36), Forecast::NoData, "six days are no week");
    }

    #[test]
    fn the_weeks_end_with_yesterday() {
        let now: Timestamp = Timestamp::parse("2026-11-23T12:30:00Z").expect("a time");
        let weeks = weeks_before(now, &TimeZone::UTC).expect("a period");
        assert_eq!(weeks.end, Timestamp::parse("2026-11-23T00:00:00Z").expect("a time"));
        assert_eq!(weeks.hours(), 28.0 * 24.0);
    }
}
