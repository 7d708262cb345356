//! Where a queue is going: from what arrived and what was closed each day.
//!
//! The net flow of a day is what arrived less what was closed. Days are taken as alike and independent of each other, so
//! the mean net flow has the interval of Student's t over the days. Over whole weeks weekends fall into the spread and
//! not into the mean: give 14 or 28 days.

/// The least days that tell anything.
pub const MIN_DAYS: usize = 7;
/// The least arrivals and closings together that tell anything.
pub const MIN_EVENTS: u64 = 10;
/// A queue that takes longer to clear than this does not clear, for all that anybody can say.
pub const MAX_DAYS: f64 = 3_650.0;

/// The 97.5th percentiles of Student's t, from one degree of freedom on.
const T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
/// The same for more degrees of freedom; never too narrow, since it is that of thirty.
const T_BEYOND: f64 = 2.042;

/// Where a queue is going.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Forecast {
    /// Too few days, or too little in them, to say anything.
    NoData,
    /// Nothing waits, and it does not grow.
    Clear,
    /// It grows by so much a day, with the 95 % interval.
    Grows {
        /// Items a day.
        per_day: f64,
        /// The interval's bounds.
        interval: (f64, f64),
    },
    /// Neither growth nor decline can be told from chance.
    Holds {
        /// Items a day; may be negative.
        per_day: f64,
        /// The interval's bounds, with 0 between them.
        interval: (f64, f64),
    },
    /// It is cleared in so many days, if it goes on like this.
    Clears {
        /// Days.
        days: f64,
        /// The 95 % interval: the soonest, and the latest, where that is not beyond [`MAX_DAYS`].
        interval: (f64, Option<f64>),
    },
}

/// Where a queue is going, of what arrived and was closed on each of some whole days, and of what waits.
#[must_use]
pub fn forecast(days: &[(u64, u64)], open: u64) -> Forecast {
    let events = days.iter().fold(0_u64, |sum, (arrived, closed)| sum.saturating_add(*arrived).saturating_add(*closed));
    if days.len() < MIN_DAYS || events < MIN_EVENTS {
        return Forecast::NoData;
    }
    let n = days.len() as f64;
    let net = |(arrived, closed): &(u64, u64)| *arrived as f64 - *closed as f64;
    let mean = days.iter().map(net).sum::<f64>() / n;
    let variance = days.iter().map(|day| (net(day) - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = T.get(days.len() - 2).copied().unwrap_or(T_BEYOND);
    let half = t * (variance / n).sqrt();
    let (low, high) = (mean - half, mean + half);
    if low > 0.0 {
        return Forecast::Grows { per_day: mean, interval: (low, high) };
    }
    if open == 0 {
        return Forecast::Clear;
    }
    let open = open as f64;
    if high < 0.0 && open / -mean <= MAX_DAYS {
        let latest = Some(open / -high).filter(|days| *days <= MAX_DAYS);
        return Forecast::Clears { days: open / -mean, interval: (open / -low, latest) };
    }
    Forecast::Holds { per_day: mean, interval: (low, high) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn too_little_says_nothing() {
        assert_eq!(forecast(&[], 7), Forecast::NoData);
        assert_eq!(forecast(&[(9, 1); 6], 7), Forecast::NoData, "six days are no week");
        assert_eq!(forecast(&[(0, 0); 28], 7), Forecast::NoData, "nothing came and nothing went");
        assert_eq!(forecast(&[(1, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 8)], 7), Forecast::NoData);
    }

    #[test]
    fn what_comes_and_goes_alike_holds() {
        let days: Vec<(u64, u64)> = (0..14).map(|n| if n % 2 == 0 { (12, 8) } else { (8, 12) }).collect();
        let Forecast::Holds { per_day, interval } = forecast(&days, 50) else { panic!("it holds") };
        assert!(per_day.abs() < 1e-9 && interval.0 < 0.0 && interval.1 > 0.0);
        assert_eq!(forecast(&days, 0), Forecast::Clear);
    }

    /// Net flows of 2, 4, 4, 4, 5, 5 and 7 have a mean of 31/7 and a standard deviation of 1.5119; with six degrees of
    /// freedom the half width is 2.447 × 1.5119 / √7 = 1.3983.
    #[test]
    fn a_queue_that_grows_says_how_fast_and_how_surely() {
        let days = [(2, 0), (4, 0), (5, 1), (4, 0), (5, 0), (6, 1), (7, 0)];
        let Forecast::Grows { per_day, interval: (low, high) } = forecast(&days, 3) else { panic!("it grows") };
        assert!((per_day - 31.0 / 7.0).abs() < 1e-9);
        assert!((per_day - low - 1.3983).abs() < 1e-3 && (high - per_day - 1.3983).abs() < 1e-3, "{low} to {high}");
    }

    #[test]
    fn a_queue_that_clears_says_when() {
        let days: Vec<(u64, u64)> = (0..28).map(|n| (4, if n % 2 == 0 { 5 } else { 7 })).collect();
        let Forecast::Clears { days, interval: (soonest, latest) } = forecast(&days, 60) else { panic!("it clears") };
        assert!((days - 30.0).abs() < 1e-9);
        let latest = latest.expect("a latest day");
        assert!(soonest < 30.0 && latest > 30.0 && latest < 40.0, "{soonest} to {latest}");
    }

    proptest! {
        #[test]
        fn whatever_happened_it_says_something_that_fits(
            days in proptest::collection::vec((0_u64..10_000, 0_u64..10_000), 0..60), open in any::<u64>(),
        ) {
            match forecast(&days, open) {
                Forecast::NoData => prop_assert!(days.len() < MIN_DAYS || days.iter().map(|(a, c)| a + c).sum::<u64>() < MIN_EVENTS),
                Forecast::Clear => prop_assert_eq!(open, 0),
                Forecast::Grows { per_day, interval: (low, high) } => prop_assert!(0.0 < low && low <= per_day && per_day <= high),
                Forecast::Holds { per_day, interval: (low, high) } => prop_assert!(low <= per_day && per_day <= high),
                Forecast::Clears { days, interval: (soonest, latest) } => {
                    prop_assert!(0.0 < soonest && soonest <= days && latest.is_none_or(|latest| days <= latest));
                }
            }
        }

        #[test]
        fn the_order_of_days_changes_nothing(days in proptest::collection::vec((0_u64..50, 0_u64..50), 7..30), open in 0_u64..500) {
            let word = |flow| match flow {
                Forecast::NoData => "no data",
                Forecast::Clear => "clear",
                Forecast::Grows { .. } => "grows",
                Forecast::Holds { .. } => "holds",
                Forecast::Clears { .. } => "clears",
            };
            let turned: Vec<(u64, u64)> = days.iter().rev().copied().collect();
            // Sums in another order differ in the last digit, which decides only exactly at a bound.
            let near_bound = days.iter().map(|(a, c)| *a as i64 - *c as i64).collect::<std::collections::BTreeSet<_>>().len() < 2;
            prop_assume!(!near_bound);
            prop_assert_eq!(word(forecast(&days, open)), word(forecast(&turned, open)));
        }
    }
}
