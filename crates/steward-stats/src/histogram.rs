//! Log-scaled histograms that merge exactly, for percentiles with a relative error of at most 1 %.
//!
//! The buckets are those of DDSketch (Masson, Rim, Lee: "DDSketch: A fast and fully-mergeable quantile sketch with
//! relative-error guarantees", PVLDB 12(12), 2019): with a bound of α = 0.01 and γ = (1 + α) / (1 − α), bucket `i`
//! holds the values in `(γ^(i−1), γ^i]`, and the value 2γ^i / (γ + 1) is within α of every one of them. A value's
//! bucket depends on nothing but the value, so histograms of any two streams add up bucket by bucket.

use std::collections::BTreeMap;

/// The most by which a quantile may differ from the true one, relative to it.
pub const RELATIVE_ERROR: f64 = 0.01;

/// The ratio between the upper bounds of neighbouring buckets.
const GAMMA: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);

/// The bucket of everything that has no logarithm: zero, negative numbers, and what is not a number.
///
/// Far below the bucket of the smallest positive `f64` (about −37,200), and short as text.
pub const ZERO_BUCKET: i32 = -100_000;

/// The bucket in which a value is counted: [`ZERO_BUCKET`] for zero, below zero, and what is not a number.
///
/// An infinite value is counted as the largest finite one.
#[must_use]
pub fn bucket_of(value: f64) -> i32 {
    if value.is_nan() || value <= 0.0 {
        return ZERO_BUCKET;
    }
    // Between −37,223 and 35,489 for finite values.
    (value.min(f64::MAX).ln() / GAMMA.ln()).ceil() as i32
}

/// The value that stands for a bucket: within 1 % of every value counted in it. 0 for [`ZERO_BUCKET`].
#[must_use]
pub fn bucket_value(bucket: i32) -> f64 {
    if bucket == ZERO_BUCKET {
        return 0.0;
    }
    // The exponent is summed before it is raised, or the last buckets would overflow on the way.
    let log = f64::from(bucket) * GAMMA.ln() + (2.0 / (GAMMA + 1.0)).ln();
    log.exp().min(f64::MAX)
}

/// Counts by bucket.
///
/// Counts may be negative while differences are merged, as when a revision takes a value back before the row that
/// brought it is read. A bucket that holds nothing or less takes no part in counts and quantiles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    counts: BTreeMap<i32, i64>,
}

impl Histogram {
    /// Makes an empty histogram.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: BTreeMap::new() }
    }

    /// Counts one value.
    pub fn record(&mut self, value: f64) {
        self.add(bucket_of(value), 1);
    }

    /// Adds a number, which may be negative, to a bucket's count.
    pub fn add(&mut self, bucket: i32, n: i64) {
        let count = self.counts.entry(bucket).or_insert(0);
        *count = count.saturating_add(n);
        if *count == 0 {
            // A bucket that came back to nothing leaves no trace: equal contents compare equal.
            self.counts.remove(&bucket);
        }
    }

    /// Adds all counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, n) in other.buckets() {
            self.add(bucket, n);
        }
    }

    /// The buckets whose count is not zero, and their counts, from the smallest values to the largest.
    pub fn buckets(&self) -> impl Iterator<Item = (i32, i64)> + '_ {
        self.counts.iter().map(|(bucket, n)| (*bucket, *n))
    }

    /// How many values are counted: those that [`Histogram::quantile`] ranks.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counted().fold(0, |sum: u64, (_, n)| sum.saturating_add(n))
    }

    /// The value below which a share `q` of the values lies, within 1 %; `None` when there are none.
    ///
    /// The value is that of rank ⌊q · (count − 1)⌋, counted from zero, so `quantile(0.0)` is the smallest, `quantile(1.0)`
    /// the largest, and nothing is interpolated. A `q` outside of 0 to 1 is moved to the nearer end.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        // A NaN becomes rank 0. Ranks beyond 2^53 lose units, which is far below a bucket's own error.
        let rank = (q.clamp(0.0, 1.0) * last as f64).floor() as u64;
        let mut seen = 0u64;
        for (bucket, n) in self.counted() {
            seen = seen.saturating_add(n);
            if seen > rank {
                return Some(bucket_value(bucket));
            }
        }
        // Only rounding of a rank beyond 2^53 gets here.
        self.counted().last().map(|(bucket, _)| bucket_value(bucket))
    }

    fn counted(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.counts.iter().filter_map(|(bucket, n)| u64::try_from(*n).ok().filter(|n| *n > 0).map(|n| (*bucket, n)))
    }
}

impl FromIterator<(i32, i64)> for Histogram {
    fn from_iter<I: IntoIterator<Item = (i32, i64)>>(pairs: I) -> Self {
        let mut histogram = Self::new();
        histogram.extend(pairs);
        histogram
    }
}

impl Extend<(i32, i64)> for Histogram {
    fn extend<I: IntoIterator<Item = (i32, i64)>>(&mut self, pairs: I) {
        for (bucket, n) in pairs {
            self.add(bucket, n);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Rounding at a bucket's very edge.
    const ROUNDING: f64 = 1e-9;

    fn of(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::new();
        values.iter().for_each(|value| histogram.record(*value));
        histogram
    }

    fn is_close(estimate: f64, truth: f64) -> bool {
        (estimate - truth).abs() <= truth * (RELATIVE_ERROR + ROUNDING)
    }

    #[test]
    fn what_has_no_logarithm_counts_as_zero() {
        for value in [0.0, -0.0, -1.0, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(bucket_of(value), ZERO_BUCKET, "{value}");
        }
        assert_eq!(of(&[0.0, -3.0]).quantile(0.5), Some(0.0));
    }

    #[test]
    fn the_ends_of_the_range_have_buckets_with_finite_values() {
        assert!(bucket_of(f64::MIN_POSITIVE) > ZERO_BUCKET);
        assert!(bucket_of(5e-324) > ZERO_BUCKET);
        assert_eq!(bucket_of(f64::INFINITY), bucket_of(f64::MAX));
        assert!(is_close(bucket_value(bucket_of(f64::MAX)), f64::MAX));
        assert!(bucket_value(i32::MAX).is_finite() && bucket_value(i32::MIN) >= 0.0);
    }

    #[test]
    fn nothing_counted_has_no_quantile() {
        assert_eq!(Histogram::new().quantile(0.5), None);
        assert_eq!(Histogram::from_iter([(3, -2), (4, 0)]).quantile(0.5), None);
        assert_eq!(Histogram::from_iter([(3, -2)]).count(), 0);
    }

    #[test]
    fn the_ends_are_the_smallest_and_the_largest() {
        let histogram = of(&[1.0, 10.0, 100.0]);
        assert!(is_close(histogram.quantile(0.0).expect("counted"), 1.0));
        assert!(is_close(histogram.quantile(0.5).expect("counted"), 10.0));
        assert!(is_close(histogram.quantile(1.0).expect("counted"), 100.0));
        assert_eq!(histogram.quantile(-1.0), histogram.quantile(0.0));
        assert_eq!(histogram.quantile(2.0), histogram.quantile(1.0));
    }

    #[test]
    fn a_value_taken_back_before_it_came_leaves_no_trace() {
        let mut histogram = Histogram::new();
        histogram.add(7, -1);
        assert_eq!(histogram.count(), 0);
        histogram.add(7, 1);
        assert_eq!(histogram, Histogram::new());
    }

    #[test]
    fn counts_stop_at_the_ends_of_the_range() {
        let histogram = Histogram::from_iter([(1, i64::MAX), (1, 1), (2, i64::MAX), (3, i64::MAX)]);
        assert_eq!(histogram.count(), u64::MAX);
        assert!(histogram.quantile(1.0).is_some());
    }

    proptest! {
        #[test]
        fn a_bucket_stands_within_one_percent_of_its_values(exponent in -300.0f64..300.0) {
            let value = 10f64.powf(exponent);
            prop_assert!(is_close(bucket_value(bucket_of(value)), value));
        }

        #[test]
        fn a_larger_value_is_never_in_a_smaller_bucket(a in 0.0f64..1e12, b in 0.0f64..1e12) {
            prop_assert!((a <= b) == (bucket_of(a) <= bucket_of(b)) || bucket_of(a) == bucket_of(b));
        }

        #[test]
        fn a_quantile_is_within_one_percent_of_the_true_one(mut values in vec(1e-6f64..1e9, 1..300), q in 0.0f64..=1.0) {
            let estimate = of(&values).quantile(q).expect("counted");
            values.sort_by(f64::total_cmp);
            let truth = values[(q * (values.len() - 1) as f64).floor() as usize];
            prop_assert!(is_close(estimate, truth), "{estimate} for {truth}");
        }

        #[test]
        fn merged_is_the_same_as_counted_together(a in vec(0.0f64..1e9, 0..100), b in vec(0.0f64..1e9, 0..100)) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let together: Vec<f64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(merged, of(&together));
        }

        #[test]
        fn order_does_not_matter(pairs in vec((-50i32..50, -5i64..20), 0..60).prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle()))) {
            let (one, other) = pairs;
            prop_assert_eq!(Histogram::from_iter(one), Histogram::from_iter(other));
        }

        #[test]
        fn a_difference_undoes_what_it_names(a in vec(0.0f64..1e9, 0..50), b in vec(0.0f64..1e9, 0..50)) {
            let mut histogram = of(&a);
            histogram.merge(&of(&b));
            histogram.extend(of(&b).buckets().map(|(bucket, n)| (bucket, -n)));
            prop_assert_eq!(histogram, of(&a));
        }
    }
}
