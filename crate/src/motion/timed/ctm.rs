//! CTM: a line for each phone, `recording channel start length phone [confidence]`; `;;` begins a comment.

use super::names::phone;
use super::{Entry, MAX_PHONES, TimedPhonesError};

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, TimedPhonesError> {
    let mut entries = Vec::new();
    let mut recording = None;
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with(";;") {
            continue;
        }
        let wrong = |problem: String| TimedPhonesError::Line { line, problem };
        let fields: Vec<&str> = content.split_whitespace().take(7).collect();
        let [name, _channel, start, length, said, ..] = fields[..] else {
            return Err(if entries.is_empty() {
                TimedPhonesError::Format(format!("line {line} has {} words, CTM has five or six", fields.len()))
            } else {
                wrong(format!("it has {} words, CTM has five or six", fields.len()))
            });
        };
        if *recording.get_or_insert(name) != name {
            return Err(wrong(format!("it belongs to another recording, {}", short(name))));
        }
        let number =
            |text: &str| text.parse::<f64>().map_err(|_| wrong(format!("{} is no time in seconds", short(text))));
        let (start, length) = (number(start)?, number(length)?);
        let phone = phone(said).ok_or_else(|| wrong(format!("there is no phone {}", short(said))))?;
        if entries.len() >= MAX_PHONES {
            return Err(TimedPhonesError::TooLarge);
        }
        entries.push(Entry { phone, start, end: Some(start + length), line });
    }
    Ok(entries)
}

/// A word of the file for a message, never more than a few letters of it.
pub(super) fn short(word: &str) -> String {
    let mut text: String = word.chars().take(20).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.len() < word.len() {
        text.push('…');
    }
    format!("\"{text}\"")
}
