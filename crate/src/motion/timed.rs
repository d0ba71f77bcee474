//! Phones or visemes whose times are known: from a speech synthesiser, an aligner, or made by hand.
//!
//! | format | who writes it |
//! |---|---|
//! | JSON | anybody: a list (or `{"phones": […]}`) of `{"phone" or "viseme", "start", "end"}`, seconds |
//! | JSON | Azure: a list of `{"audioOffset", "visemeId"}`, 100 ns ticks or milliseconds; Rhubarb: `{"mouthCues": […]}` |
//! | JSON lines | Amazon Polly's speech marks: `{"time", "type": "viseme", "value"}`, milliseconds |
//! | CTM | Kaldi and others: `recording channel start length phone` |
//! | TextGrid | Praat and the Montreal Forced Aligner: the tier of the phones |
//!
//! What can be repaired without doubt is repaired and told as a warning; everything else is an error that names the
//! line. Phones that overlap by up to 30 ms are cut in the middle. Gaps up to 30 ms belong to the phone before, longer
//! ones are silence. What lies up to 100 ms past the end of the sound, as rounded times do, is not shown; more is an error.

use thiserror::Error;

use super::phone::Phone;

mod ctm;
mod json;
mod names;
mod text_grid;

/// Most bytes of a file.
pub const MAX_BYTES: usize = 64 << 20;
/// Most phones of a file.
pub const MAX_PHONES: usize = 1_000_000;
/// Latest time, seconds.
const LATEST: f64 = 24.0 * 3600.0;
/// Overlaps and gaps up to this are a matter of rounding, seconds.
const TOLERANCE: f64 = 0.030;
/// Longest that a viseme without an end lasts, and how long the last one does, seconds.
const LONGEST_OPEN: f64 = 0.60;
const LAST_OPEN: f64 = 0.15;
/// Phones may end so much after the sound, seconds.
const OVERRUN: f64 = 0.1;
/// Warnings that are told one by one.
const MAX_WARNINGS: usize = 5;

/// Why timed phones could not be read.
#[derive(Debug, Error, PartialEq)]
pub enum TimedPhonesError {
    /// One entry is wrong.
    #[error("Line {line} of the phone file is wrong: {problem}. Correct it and try again.")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// No format that is known.
    #[error(
        "This is no file of timed phones: expected are JSON, Polly speech marks, CTM or a Praat TextGrid ({0}). \
         Export the phones in one of these."
    )]
    Format(String),
    /// It holds nothing.
    #[error("The phone file holds no phones. Export it again.")]
    Empty,
    /// Over [`MAX_BYTES`] or [`MAX_PHONES`].
    #[error("The phone file is too large: up to 64 MiB and 1,000,000 phones are read. Split it.")]
    TooLarge,
}

/// A phone with its time in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedPhone {
    /// What is said.
    pub phone: Phone,
    /// Where it begins.
    pub start: f64,
    /// Where it ends, not before it begins.
    pub end: f64,
}

/// An entry as a file has it, before it is checked.
#[derive(Clone, Copy, Debug)]
struct Entry {
    phone: Phone,
    start: f64,
    /// `None`: up to the next entry.
    end: Option<f64>,
    line: usize,
}

/// Phones one after another, without gaps or overlaps, silences between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimedPhones {
    phones: Vec<TimedPhone>,
    /// Where each phone stood in the file, from 1; 0 for silences that were put in.
    lines: Vec<usize>,
    /// The end of the last phone is a guess.
    open: bool,
    warnings: Vec<String>,
}

impl TimedPhones {
    /// Reads a file of any of the known formats (see the module); text is UTF-8, or UTF-16 with a byte order mark.
    ///
    /// # Errors
    /// [`TimedPhonesError`], which names the line.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TimedPhonesError> {
        if bytes.len() > MAX_BYTES {
            return Err(TimedPhonesError::TooLarge);
        }
        Self::from_text(&text_of(bytes)?)
    }

    /// As [`Self::from_bytes`], of text.
    ///
    /// # Errors
    /// [`TimedPhonesError`].
    pub fn from_text(text: &str) -> Result<Self, TimedPhonesError> {
        if text.len() > 2 * MAX_BYTES {
            return Err(TimedPhonesError::TooLarge);
        }
        let text = text.trim_start_matches('\u{feff}');
        let mut warnings = Vec::new();
        let entries = match text.trim_start().chars().next() {
            None => return Err(TimedPhonesError::Empty),
            Some('{' | '[') => json::entries(text)?,
            Some(_) if text_grid::is_one(text) => text_grid::entries(text, &mut warnings)?,
            Some(_) => ctm::entries(text)?,
        };
        Self::from_entries(entries, warnings)
    }

    /// Phones from a list, repaired as those of a file are; errors name the place in the list as the line.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn new(phones: &[TimedPhone]) -> Result<Self, TimedPhonesError> {
        let entry =
            |(i, p): (usize, &TimedPhone)| Entry { phone: p.phone, start: p.start, end: Some(p.end), line: i + 1 };
        Self::from_entries(phones.iter().enumerate().map(entry).collect(), Vec::new())
    }

    /// The phones, ordered by time.
    pub fn phones(&self) -> &[TimedPhone] {
        &self.phones
    }

    /// What was repaired, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether the phones belong to a sound of so many seconds: none may run more than 100 ms past its end. Silences may,
    /// and a last viseme of which only the start is known.
    ///
    /// # Errors
    /// [`TimedPhonesError::Line`] for the first one that does.
    pub fn fit(&self, seconds: f64) -> Result<(), TimedPhonesError> {
        let last = self.phones.len().saturating_sub(1);
        for (i, (p, &line)) in self.phones.iter().zip(&self.lines).enumerate() {
            let end = if self.open && i == last { p.start } else { p.end };
            if p.phone != Phone::Sil && end > seconds + OVERRUN {
                let problem = format!(
                    "{} lasts from {:.2} to {:.2} s, but the sound ends at {seconds:.2} s (is it the right file?)",
                    p.phone.name(),
                    p.start,
                    p.end
                );
                return Err(TimedPhonesError::Line { line, problem });
            }
        }
        Ok(())
    }

    fn from_entries(mut entries: Vec<Entry>, mut warnings: Vec<String>) -> Result<Self, TimedPhonesError> {
        if entries.len() > MAX_PHONES {
            return Err(TimedPhonesError::TooLarge);
        }
        for e in &entries {
            check(e)?;
        }
        if entries.is_empty() {
            return Err(TimedPhonesError::Empty);
        }
        entries.sort_by(|a, b| a.start.total_cmp(&b.start));
        let mut all = Self { open: entries.last().is_some_and(|e| e.end.is_none()), ..Self::default() };
        let mut cut = 0;
        for (i, e) in entries.iter().enumerate() {
            let next = entries.get(i + 1);
            let end = match (e.end, next) {
                (Some(end), _) => end,
                (None, Some(next)) if e.phone == Phone::Sil => next.start,
                (None, Some(next)) => next.start.min(e.start + LONGEST_OPEN),
                (None, None) => e.start + LAST_OPEN,
            };
            let mut start = e.start;
            if let (Some(last), Some(&line)) = (all.phones.last_mut(), all.lines.last()) {
                let overlap = last.end - start;
                if overlap > TOLERANCE {
                    let problem = format!(
                        "{} begins at {start:.3} s, before {} of line {line} ends at {:.3} s",
                        e.phone.name(),
                        last.phone.name(),
                        last.end
                    );
                    return Err(TimedPhonesError::Line { line: e.line, problem });
                }
                if overlap > 0.0 {
                    // A rounding error of the file's last digit is nobody's business.
                    cut += usize::from(overlap > 0.0015);
                    let middle = (0.5 * (last.end + start)).max(last.start);
                    (last.end, start) = (middle, middle);
                } else if overlap >= -TOLERANCE {
                    last.end = start;
                }
            }
            all.fill(start);
            all.phones.push(TimedPhone { phone: e.phone, start, end: end.max(start) });
            all.lines.push(e.line);
        }
        if cut > 0 {
            warnings.push(format!("{cut} phones overlapped by up to 30 ms and were cut in the middle."));
        }
        let told = warnings.len().min(MAX_WARNINGS);
        if warnings.len() > told {
            let more = warnings.len() - told;
            warnings.truncate(told);
            warnings.push(format!("{more} more repairs of the phone file are not told."));
        }
        all.warnings = warnings;
        Ok(all)
    }

    /// Silence from the last phone up to `until`.
    fn fill(&mut self, until: f64) {
        let from = self.phones.last().map_or(0.0, |p| p.end);
        if until > from {
            match self.phones.last_mut() {
                Some(last) if last.phone == Phone::Sil => last.end = until,
                _ => {
                    self.phones.push(TimedPhone { phone: Phone::Sil, start: from, end: until });
                    self.lines.push(0);
                }
            }
        }
    }
}

fn check(e: &Entry) -> Result<(), TimedPhonesError> {
    let wrong = |problem: String| Err(TimedPhonesError::Line { line: e.line, problem });
    let end = e.end.unwrap_or(e.start);
    if !(e.start.is_finite() && end.is_finite()) {
        return wrong("a time is no finite number".into());
    }
    if e.start < 0.0 {
        return wrong(format!("{} begins at {} s, before the sound", e.phone.name(), e.start));
    }
    if end < e.start {
        return wrong(format!("{} ends at {end} s, before it begins at {} s", e.phone.name(), e.start));
    }
    if end > LATEST {
        return wrong(format!("{} ends at {end} s; times are seconds, up to a day", e.phone.name()));
    }
    Ok(())
}

fn text_of(bytes: &[u8]) -> Result<String, TimedPhonesError> {
    let wide = |of: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|b| of([b[0], b[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, ..] => Ok(wide(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Ok(wide(u16::from_be_bytes)),
        _ => String::from_utf8(bytes.to_vec()).map_err(|_| TimedPhonesError::Format("it is no text".into())),
    }
}

#[cfg(test)]
mod tests;
