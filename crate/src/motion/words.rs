//! Words to phones: a text as it is spoken, a pronouncing dictionary, and rules for what the dictionary lacks.
//!
//! English only: the dictionary is American, and the encoder's phones are English ones.

mod letters;
pub mod lexicon;
mod numbers;
mod spelling;

use std::collections::{BTreeSet, HashMap};

use thiserror::Error;

use super::phone::Phone;
use lexicon::Lexicon;

/// Most bytes of a transcript.
pub const MAX_BYTES: usize = 4 << 20;
/// Most words of a transcript.
const MAX_WORDS: usize = 200_000;
/// Most ways to say one word that are tried.
const MAX_WAYS: usize = 4;

/// Why a transcript cannot be used.
#[derive(Debug, Error, PartialEq)]
pub enum TranscriptError {
    /// No words.
    #[error("The transcript holds no words. Write down what is said in the recording.")]
    Empty,
    /// Over [`MAX_BYTES`], or too many words.
    #[error("The transcript is too long: up to 4 MiB and 200,000 words are read. Split recording and text.")]
    TooLong,
    /// Letters that English does not have.
    #[error(
        "Line {line} of the transcript has \"{word}\", which is not in Latin letters. Transcripts are understood in \
         English only; for other languages leave it out, or give timed phones."
    )]
    Letters {
        /// Counted from 1.
        line: usize,
        /// What cannot be read.
        word: String,
    },
    /// The recording says something else.
    #[error(
        "The transcript does not fit the recording: in {wrong} % of it other sounds are heard than the text has. Check \
         that both belong together and that the text is English, or leave it out."
    )]
    Misfit {
        /// Percent of the speech.
        wrong: u32,
    },
}

/// A place in the text and the ways to say it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// Phones of each way, the usual one first; none is empty.
    pub ways: Vec<Vec<Phone>>,
}

/// A text as phones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    words: Vec<Spoken>,
}

impl Transcript {
    /// Looks up the words of a text; without a dictionary all of them are said by rule.
    ///
    /// # Errors
    /// [`TranscriptError`] for texts without words, too long ones, and scripts other than Latin.
    pub fn new(text: &str, lexicon: Option<&Lexicon>) -> Result<Self, TranscriptError> {
        if text.len() > MAX_BYTES {
            return Err(TranscriptError::TooLong);
        }
        let words = spelling::words(text)?;
        if words.len() > MAX_WORDS {
            return Err(TranscriptError::TooLong);
        }
        let wanted: BTreeSet<&str> = words.iter().flatten().flatten().map(String::as_str).collect();
        let known = lexicon.map(|l| l.look_up(&wanted)).unwrap_or_default();
        let ways = |alternatives: &Vec<Vec<String>>| {
            let mut all: Vec<Vec<Phone>> = Vec::new();
            for parts in alternatives {
                let mut ways = vec![Vec::new()];
                for part in parts {
                    let said = pronounce(part, &known);
                    // Of several words in one place only the first way of each is tried.
                    let said = &said[..if parts.len() == 1 { said.len() } else { said.len().min(1) }];
                    ways = said.iter().flat_map(|s| ways.iter().map(move |w| [w.as_slice(), s].concat())).collect();
                }
                all.extend(ways);
            }
            all.retain(|way| !way.is_empty());
            all.dedup();
            all.truncate(MAX_WAYS);
            all
        };
        let words: Vec<Spoken> =
            words.iter().map(|w| Spoken { ways: ways(w) }).filter(|w| !w.ways.is_empty()).collect();
        if words.is_empty() { Err(TranscriptError::Empty) } else { Ok(Self { words }) }
    }

    /// The words in order.
    pub fn words(&self) -> &[Spoken] {
        &self.words
    }
}

/// Ways to say one written word.
fn pronounce(word: &str, known: &HashMap<String, Vec<Vec<Phone>>>) -> Vec<Vec<Phone>> {
    if let Some(ways) = known.get(word) {
        return ways.clone();
    }
    if let Some(stem) = stem(word) {
        let ways = known.get(stem).cloned().unwrap_or_else(|| vec![said_by_rule(stem)]);
        return ways.into_iter().map(with_s).collect();
    }
    let said = said_by_rule(word);
    if said.is_empty() { Vec::new() } else { vec![said] }
}

/// The word that a possessive belongs to.
fn stem(word: &str) -> Option<&str> {
    let stem = word.strip_suffix("'s")?;
    (stem.bytes().any(|b| b.is_ascii_lowercase()) && !stem.ends_with("'s")).then_some(stem)
}

/// The way to say a word that its letters alone suggest.
fn said_by_rule(word: &str) -> Vec<Phone> {
    let letters: String = word.chars().filter(char::is_ascii_lowercase).collect();
    letters::say(&letters)
}

/// The plural's or possessive's ending.
fn with_s(mut way: Vec<Phone>) -> Vec<Phone> {
    use Phone as P;
    match way.last() {
        Some(P::S | P::Z | P::Sh | P::Zh | P::Ch | P::Jh) => way.extend([P::Ih, P::Z]),
        Some(P::P | P::T | P::K | P::F | P::Th) => way.push(P::S),
        _ => way.push(P::Z),
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let lexicon = Lexicon::from_bytes(
            lexicon::compact(
                "the DH AH0\nthe(2) DH IY0\nread R EH1 D\nread(2) R IY1 D\nnineteen N AY1 N T IY1 N\nfive F AY1 V\n",
            )
            .unwrap(),
        );
        let name = |way: &Vec<Phone>| way.iter().map(|p| p.name()).collect::<Vec<_>>().join(" ");
        let transcript = Transcript::new(text, Some(&lexicon)).unwrap();
        transcript.words().iter().map(|w| w.ways.iter().map(name).collect::<Vec<_>>().join(" | ")).collect()
    }

    #[test]
    fn dictionary_first_then_rules() {
        assert_eq!(said("The READ, five's"), ["DH AH | DH IY", "R EH D | R IY D", "F AY V Z"]);
        assert_eq!(said("bip"), ["B IH P"]);
        assert_eq!(said("5 19"), ["F AY V", "N AY N T IY N"]);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        assert_eq!(Transcript::new(" … ", None), Err(TranscriptError::Empty));
        let error = Transcript::new("yes\nда", None).unwrap_err();
        assert_eq!(error, TranscriptError::Letters { line: 2, word: "да".into() });
        assert_eq!(Transcript::new(&"a".repeat(MAX_BYTES + 1), None), Err(TranscriptError::TooLong));
    }
}
