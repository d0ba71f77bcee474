//! Progress on stderr.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// One line that says what happens and how long it will take.
pub struct Progress(ProgressBar);

impl Progress {
    /// A step of unknown length.
    pub fn step(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// A step of `total` frames; without it the frames are only counted.
    pub fn frames(what: &'static str, total: Option<u64>) -> Self {
        let (bar, template) = match total {
            Some(total) => (ProgressBar::new(total), "{msg} [{bar:30}] {pos}/{len} frames, {per_sec}, {eta} left"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {pos} frames, {per_sec}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar.with_message(what))
    }

    /// One frame more.
    pub fn advance(&self) {
        self.0.inc(1);
    }

    /// Prints a line without disturbing the bar.
    pub fn say(&self, line: &str) {
        self.0.suspend(|| {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
