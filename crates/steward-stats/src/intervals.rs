//! How far a share that was counted may lie from the share that is.

/// The 97.5th percentile of the normal distribution: 95 % lie within this many standard deviations of the mean.
const Z: f64 = 1.959_964;

/// The 95 % interval of a share of which `successes` of `n` were seen; `None` when `n` is 0.
///
/// The score interval of Wilson (1927), "Probable inference, the law of succession, and statistical inference",
/// Journal of the American Statistical Association 22, without correction for continuity. Unlike the textbook
/// p ± z·√(p(1−p)/n) it stays inside 0 to 1 and keeps its promise for few runs and for shares near the ends
/// (Brown, Cai, DasGupta 2001, "Interval estimation for a binomial proportion").
///
/// More successes than `n` count as `n`.
#[must_use]
pub fn wilson(successes: u64, n: u64) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    wilson_of_share(successes.min(n) as f64 / n as f64, n as f64)
}

/// The same of a share that so many observations say, which need be no whole number: an estimate from observations of
/// different weight, with the number of observations of equal weight that would say as much. `None` unless there is
/// at least a part of one, and a share between 0 and 1.
#[must_use]
pub fn wilson_of_share(share: f64, n: f64) -> Option<(f64, f64)> {
    if !(n > 0.0 && n.is_finite() && (0.0..=1.0).contains(&share)) {
        return None;
    }
    let z2 = Z * Z;
    let scale = 1.0 + z2 / n;
    let centre = (share + z2 / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / scale;
    // At the ends one bound is the share itself; rounding must not leave it a hair inside or outside.
    let low = if share == 0.0 { 0.0 } else { (centre - half).clamp(0.0, share) };
    let high = if share == 1.0 { 1.0 } else { (centre + half).clamp(share, 1.0) };
    Some((low, high))
}

/// The 95 % interval of the difference of two shares, the second less the first; `None` when either `n` is 0.
///
/// Method 10 of Newcombe (1998), "Interval estimation for the difference between independent proportions",
/// Statistics in Medicine 17: the Wilson bounds of both shares, put together as squares. When 0 lies outside, the
/// shares differ by more than chance alone explains, at the usual 5 %.
#[must_use]
pub fn newcombe_difference(first: (u64, u64), second: (u64, u64)) -> Option<(f64, f64)> {
    let share = |(successes, n): (u64, u64)| successes.min(n) as f64 / n as f64;
    let (low_1, high_1) = wilson(first.0, first.1)?;
    let (low_2, high_2) = wilson(second.0, second.1)?;
    let (p1, p2) = (share(first), share(second));
    let difference = p2 - p1;
    let low = difference - (p2 - low_2).hypot(high_1 - p1);
    let high = difference + (high_2 - p2).hypot(p1 - low_1);
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_near(found: Option<(f64, f64)>, low: f64, high: f64) {
        let (found_low, found_high) = found.expect("n is not zero");
        assert!((found_low - low).abs() < 5e-5 && (found_high - high).abs() < 5e-5, "{found_low} to {found_high}");
    }

    #[test]
    fn no_observations_say_nothing() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(newcombe_difference((1, 2), (0, 0)), None);
    }

    /// The worked examples of Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I.
    #[test]
    fn the_published_examples_come_out() {
        assert_near(wilson(81, 263), 0.2553, 0.3662);
        assert_near(wilson(15, 148), 0.0624, 0.1605);
        assert_near(wilson(0, 20), 0.0, 0.1611);
        assert_near(wilson(1, 29), 0.0061, 0.1718);
    }

    /// Newcombe (1998), "Interval estimation for the difference between independent proportions", table II, method 10.
    #[test]
    fn the_published_differences_come_out() {
        assert_near(newcombe_difference((48, 80), (56, 70)), 0.0524, 0.3339);
        assert_near(newcombe_difference((0, 10), (10, 10)), 0.6075, 1.0);
    }

    #[test]
    fn a_share_of_none_or_of_all_is_its_own_bound() {
        assert_eq!(wilson(0, 7).map(|(low, _)| low), Some(0.0));
        assert_eq!(wilson(7, 7).map(|(_, high)| high), Some(1.0));
        assert_eq!(wilson(9, 7), wilson(7, 7));
    }

    #[test]
    fn what_is_no_share_of_anything_has_no_interval() {
        for (share, n) in [(0.5, 0.0), (0.5, -1.0), (0.5, f64::NAN), (0.5, f64::INFINITY), (f64::NAN, 5.0), (1.1, 5.0)]
        {
            assert_eq!(wilson_of_share(share, n), None, "{share} of {n}");
        }
        assert_near(wilson_of_share(81.0 / 263.0, 263.0), 0.2553, 0.3662);
        let few = wilson_of_share(0.5, 1e-300).expect("a part of one");
        assert!(0.0 <= few.0 && few.1 <= 1.0);
    }

    proptest! {
        #[test]
        fn the_share_lies_inside_and_the_interval_inside_0_to_1(n in 1u64..1_000_000, part in 0.0f64..=1.0) {
            let successes = (n as f64 * part) as u64;
            let (low, high) = wilson(successes, n).expect("n is not zero");
            let share = successes as f64 / n as f64;
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
        }

        #[test]
        fn more_observations_narrow_it(n in 1u64..100_000, part in 0.0f64..=1.0) {
            let successes = (n as f64 * part) as u64;
            let width = |(low, high): (f64, f64)| high - low;
            let few = wilson(successes, n).map(width).expect("n is not zero");
            let many = wilson(successes * 4, n * 4).map(width).expect("n is not zero");
            prop_assert!(many < few);
        }

        #[test]
        fn failures_mirror_successes(n in 1u64..100_000, part in 0.0f64..=1.0) {
            let successes = (n as f64 * part) as u64;
            let (low, high) = wilson(successes, n).expect("n is not zero");
            let (mirrored_low, mirrored_high) = wilson(n - successes, n).expect("n is not zero");
            prop_assert!((low - (1.0 - mirrored_high)).abs() < 1e-12 && (high - (1.0 - mirrored_low)).abs() < 1e-12);
        }

        #[test]
        fn no_numbers_make_it_panic(a in any::<u64>(), b in any::<u64>(), c in any::<u64>(), d in any::<u64>()) {
            let _ = wilson(a, b);
            let _ = newcombe_difference((a, b), (c, d));
        }
    }
}
