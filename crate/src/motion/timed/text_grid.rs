//! Praat's TextGrid, in the long and the short form: both are the same values in the same order, so that everything
//! but quoted texts, numbers and flags can be skipped.

use super::ctm::short;
use super::names::phone;
use super::{Entry, MAX_PHONES, TimedPhonesError};

/// Names of the tier that holds the phones, in small letters, the better ones first.
const TIERS: [&str; 8] = ["phones", "phone", "phonemes", "phoneme", "segments", "segment", "mau", "visemes"];

/// Whether a text looks like a TextGrid.
pub(super) fn is_one(text: &str) -> bool {
    let start: String = text.chars().take(200).collect();
    start.contains("ooTextFile") || start.contains("\"TextGrid\"")
}

enum Token {
    Text(String),
    Number(f64),
    /// `<exists>` and the like.
    Flag,
}

/// Values with their line; names, signs and indices in brackets are left out.
struct Tokens<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl Tokens<'_> {
    fn bump(&mut self) -> Option<char> {
        let c = self.rest.next();
        self.line += usize::from(c == Some('\n'));
        c
    }

    fn next(&mut self) -> Option<(Token, usize)> {
        loop {
            let c = self.bump()?;
            let line = self.line;
            match c {
                '"' => {
                    let mut text = String::new();
                    while let Some(c) = self.bump() {
                        if c == '"' && self.rest.next_if_eq(&'"').is_none() {
                            break;
                        }
                        text.push(c);
                    }
                    return Some((Token::Text(text), line));
                }
                '<' => {
                    while self.bump().is_some_and(|c| c != '>') {}
                    return Some((Token::Flag, line));
                }
                '[' => while self.bump().is_some_and(|c| c != ']') {},
                '!' => while self.bump().is_some_and(|c| c != '\n') {},
                c if c.is_whitespace() || c == '=' || c == ':' || c == '?' => {}
                c => {
                    let mut word = String::from(c);
                    while let Some(c) = self.rest.next_if(|c| !c.is_whitespace() && !"=:?[\"".contains(*c)) {
                        word.push(c);
                    }
                    if let Ok(number) = word.parse() {
                        return Some((Token::Number(number), line));
                    }
                }
            }
        }
    }

    fn text(&mut self) -> Result<(String, usize), TimedPhonesError> {
        match self.next() {
            Some((Token::Text(text), line)) => Ok((text, line)),
            Some((_, line)) => Err(wrong(line, "a text in quotes is expected")),
            None => Err(wrong(self.line, "the file ends too early")),
        }
    }

    fn number(&mut self) -> Result<(f64, usize), TimedPhonesError> {
        match self.next() {
            Some((Token::Number(number), line)) => Ok((number, line)),
            Some((_, line)) => Err(wrong(line, "a number is expected")),
            None => Err(wrong(self.line, "the file ends too early")),
        }
    }
}

fn wrong(line: usize, problem: &str) -> TimedPhonesError {
    TimedPhonesError::Line { line, problem: problem.to_owned() }
}

struct Interval {
    start: f64,
    end: f64,
    text: String,
    line: usize,
}

pub(super) fn entries(text: &str, warnings: &mut Vec<String>) -> Result<Vec<Entry>, TimedPhonesError> {
    let mut tokens = Tokens { rest: text.chars().peekable(), line: 1 };
    // File type and class, then the times of the whole.
    loop {
        match tokens.next() {
            Some((Token::Text(class), _)) if class == "TextGrid" => break,
            Some((Token::Text(_), _)) => {}
            _ => return Err(TimedPhonesError::Format("a TextGrid without its heading".into())),
        }
    }
    tokens.number()?;
    tokens.number()?;
    if !matches!(tokens.next(), Some((Token::Flag, _))) {
        return Err(TimedPhonesError::Format("a TextGrid without tiers".into()));
    }
    let (count, _) = tokens.number()?;
    let mut tiers: Vec<(String, Vec<Interval>)> = Vec::new();
    for _ in 0..count.clamp(0.0, 1000.0) as usize {
        let (class, line) = tokens.text()?;
        let (name, _) = tokens.text()?;
        tokens.number()?;
        tokens.number()?;
        let (size, _) = tokens.number()?;
        let size = if (0.0..=MAX_PHONES as f64).contains(&size) {
            size as usize
        } else {
            return Err(TimedPhonesError::TooLarge);
        };
        let points = match class.as_str() {
            "IntervalTier" => false,
            "TextTier" => true,
            _ => return Err(wrong(line, "a tier is an IntervalTier or a TextTier")),
        };
        let mut intervals = Vec::new();
        for _ in 0..size {
            let (start, line) = tokens.number()?;
            let end = if points { start } else { tokens.number()?.0 };
            let (text, _) = tokens.text()?;
            intervals.push(Interval { start, end, text, line });
        }
        if !points {
            tiers.push((name, intervals));
        }
    }
    let (name, intervals) = choose(tiers)?;
    if name.1 {
        warnings.push(format!("The TextGrid has no tier named \"phones\"; the tier {} is used.", short(&name.0)));
    }
    intervals
        .into_iter()
        .map(|i| match phone(&i.text) {
            Some(phone) => Ok(Entry { phone, start: i.start, end: Some(i.end), line: i.line }),
            None => Err(wrong(i.line, &format!("there is no phone {}", short(&i.text)))),
        })
        .collect()
}

/// The tier of the phones, and whether that was a guess.
fn choose(mut tiers: Vec<(String, Vec<Interval>)>) -> Result<((String, bool), Vec<Interval>), TimedPhonesError> {
    // Aligners of several speakers write "speaker - phones".
    let named = |tier: &str, wanted: &str| {
        let tier = tier.trim().to_lowercase();
        tier == wanted || tier.ends_with(&format!("- {wanted}"))
    };
    if let Some(at) = TIERS.iter().find_map(|wanted| tiers.iter().position(|(name, _)| named(name, wanted))) {
        let (name, intervals) = tiers.swap_remove(at);
        return Ok(((name, false), intervals));
    }
    if let (1, Some((name, intervals))) = (tiers.len(), tiers.pop()) {
        return Ok(((name, true), intervals));
    }
    Err(TimedPhonesError::Format("a TextGrid without a tier named \"phones\"".into()))
}
