//! Medians and percentiles of what was measured.
//! Rule: of nothing there is no figure, so an empty sample gives NaN, which meets no bar.

/// Returns the value in the middle of a sample, or the mean of the two there.
pub(crate) fn median(sample: &[f64]) -> f64 {
    let sorted = sorted(sample);
    let upper = sorted.len() / 2;
    let lower = sorted.len().saturating_sub(1) / 2;
    match (sorted.get(lower), sorted.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => f64::NAN,
    }
}

/// Returns the smallest value that at least `percent` of a sample do not exceed (nearest rank).
pub(crate) fn percentile(sample: &[f64], percent: usize) -> f64 {
    let sorted = sorted(sample);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// Returns the largest value.
pub(crate) fn largest(sample: &[f64]) -> f64 {
    sample.iter().copied().fold(f64::NAN, f64::max)
}

/// Returns the smallest value.
pub(crate) fn smallest(sample: &[f64]) -> f64 {
    sample.iter().copied().fold(f64::NAN, f64::min)
}

/// Returns the median of the ratios of values that were measured one right after the other.
pub(crate) fn median_ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    median(&ratios)
}

fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        for (sample, expected) in [(&[3.0, 1.0, 2.0][..], 2.0), (&[4.0, 1.0, 2.0, 3.0], 2.5), (&[7.0], 7.0)] {
            assert!((median(sample) - expected).abs() < f64::EPSILON, "{sample:?}");
        }
    }

    #[test]
    fn a_percentile_is_a_value_of_the_sample() {
        let sample: Vec<f64> = (1..=200).map(f64::from).collect();
        for (percent, expected) in [(50, 100.0), (99, 198.0), (100, 200.0), (0, 1.0)] {
            assert!((percentile(&sample, percent) - expected).abs() < f64::EPSILON, "{percent}");
        }
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        assert!(median(&[]).is_nan() && percentile(&[], 99).is_nan() && largest(&[]).is_nan());
    }
}
