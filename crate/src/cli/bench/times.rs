//! Times of many runs: percentiles, and what a display would have shown.

/// Times of runs in milliseconds, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct Times {
    ran: Vec<f64>,
    sorted: Vec<f64>,
}

impl Times {
    /// Of times in milliseconds.
    pub fn new(ran: Vec<f64>) -> Self {
        let mut sorted = ran.clone();
        sorted.sort_by(f64::total_cmp);
        Self { ran, sorted }
    }

    /// The time that this share of the runs stays under; 0 without runs.
    pub fn at(&self, share: f64) -> f64 {
        let place = ((self.sorted.len() as f64 - 1.0) * share).round() as usize;
        self.sorted.get(place).copied().unwrap_or(0.0)
    }

    /// All of them, the shortest first.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// Runs a second, the time of all of them taken together.
    pub fn rate(&self) -> f64 {
        let sum: f64 = self.ran.iter().sum();
        if sum > 0.0 { 1000.0 * self.ran.len() as f64 / sum } else { 0.0 }
    }

    /// The share of the frames of a display with `rate` frames a second that would have shown nothing new: each frame is
    /// begun when the display shows the one before, and one that takes longer than a frame of the display lets others pass.
    pub fn dropped(&self, rate: f64) -> f64 {
        let late: f64 = self.ran.iter().map(|ms| ((ms * rate / 1000.0).ceil() - 1.0).max(0.0)).sum();
        if self.ran.is_empty() { 0.0 } else { late / (late + self.ran.len() as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_rates() {
        let times = Times::new(vec![40.0, 10.0, 20.0, 30.0]);
        assert_eq!((times.at(0.0), times.at(1.0), times.rate()), (10.0, 40.0, 40.0));
        assert_eq!(
            (Times::default().at(0.5), Times::default().rate(), Times::default().dropped(60.0)),
            (0.0, 0.0, 0.0)
        );
    }

    #[test]
    fn late_frames_let_others_pass() {
        assert_eq!(Times::new(vec![39.9, 12.0]).dropped(25.0), 0.0);
        // the first takes three frames of the display
        assert_eq!(Times::new(vec![100.0, 12.0]).dropped(25.0), 0.5);
    }
}
