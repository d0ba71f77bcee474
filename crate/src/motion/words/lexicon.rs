//! A pronouncing dictionary in little memory: words in order, each written as what differs from the one before.
//!
//! An entry is a byte with the number of letters (low half) and phones (high half) shared with the entry before, then
//! the other letters and the other phones, the last of each marked by the top bit. A list of none is one byte 0xff. A
//! word that comes twice has several pronunciations.

use std::collections::{BTreeSet, HashMap};

use super::super::phone::Phone;
use crate::pack::Pack;

/// Name of the tensor in a pack.
pub const TENSOR: &str = "words.english";
const END: u8 = 0x80;
const NONE: u8 = 0xff;
/// Longest word and longest pronunciation that are kept.
const LONGEST: usize = 60;

/// The dictionary.
#[derive(Clone, Debug)]
pub struct Lexicon {
    bytes: Vec<u8>,
}

impl Lexicon {
    /// The dictionary of a pack, if it has one.
    pub fn from_pack(pack: &Pack) -> Option<Self> {
        pack.tensor(TENSOR).ok().map(|t| Self::from_bytes(t.bytes().to_vec()))
    }

    /// A dictionary that [`compact`] made. Damaged ones have wrong words, and nothing worse.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The pronunciations of those words that are in the dictionary; one pass over all of it.
    pub fn look_up(&self, wanted: &BTreeSet<&str>) -> HashMap<String, Vec<Vec<Phone>>> {
        let mut found: HashMap<String, Vec<Vec<Phone>>> = HashMap::new();
        let mut rest = self.bytes.iter().copied();
        let (mut word, mut said) = (Vec::new(), Vec::new());
        while let Some(shared) = rest.next() {
            take(&mut word, usize::from(shared & 15), &mut rest);
            take(&mut said, usize::from(shared >> 4), &mut rest);
            let Ok(text) = std::str::from_utf8(&word) else { continue };
            // A possessive is made from its stem.
            if wanted.contains(text) || wanted.contains(format!("{text}'s").as_str()) {
                let phones = said.iter().filter_map(|&p| Phone::ALL.get(usize::from(p)).copied()).collect();
                found.entry(text.to_owned()).or_default().push(phones);
            }
        }
        found
    }
}

/// Replaces what follows the first `shared` bytes by the marked bytes that come.
fn take(list: &mut Vec<u8>, shared: usize, rest: &mut impl Iterator<Item = u8>) {
    list.truncate(shared);
    for byte in rest.by_ref() {
        if byte == NONE || list.len() > 4 * LONGEST {
            return;
        }
        list.push(byte & !END);
        if byte & END != 0 {
            return;
        }
    }
}

/// Makes a dictionary of text: lines of a word, blank, its phones in ARPAbet; `word(2)` is another pronunciation, `#`
/// begins a comment (the format of the CMU pronouncing dictionary). Stress is dropped.
///
/// # Errors
/// The first line that has another form.
pub fn compact(text: &str) -> Result<Vec<u8>, String> {
    let mut entries: Vec<(&str, usize, Vec<u8>)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some((word, said)) = line.split_once(char::is_whitespace) else { continue };
        let word = word.split('(').next().unwrap_or_default();
        let wrong = || format!("line {number} of the dictionary is no entry: {line}");
        if !word.bytes().all(|b| b.is_ascii_lowercase() || b"'.-_0123456789".contains(&b)) || word.len() > LONGEST {
            return Err(wrong());
        }
        let phone = |p: &str| Phone::from_name(p.trim_end_matches(['0', '1', '2'])).map(|p| p as u8);
        let phones: Vec<u8> = said.split_whitespace().map(phone).collect::<Option<_>>().ok_or_else(wrong)?;
        if phones.len() > LONGEST {
            return Err(wrong());
        }
        if !entries.iter().rev().take_while(|e| e.0 == word).any(|e| e.2 == phones) {
            entries.push((word, number, phones));
        }
    }
    entries.sort();
    let mut bytes = Vec::new();
    let (mut word, mut said): (&[u8], &[u8]) = (&[], &[]);
    for (next, _, phones) in &entries {
        let shared = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(x, y)| x == y).count().min(15);
        let (letters, sounds) = (shared(word, next.as_bytes()), shared(said, phones));
        bytes.push((letters | sounds << 4) as u8);
        for list in [&next.as_bytes()[letters..], &phones[sounds..]] {
            match list.split_last() {
                None => bytes.push(NONE),
                Some((last, before)) => {
                    bytes.extend_from_slice(before);
                    bytes.push(last | END);
                }
            }
        }
        (word, said) = (next.as_bytes(), phones);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "'em AH0 M\na AH0\na(2) EY1\nable EY1 B AH0 L\nabler EY1 B AH0 L ER0 # rare\nzoo Z UW1\n";

    #[test]
    fn words_come_back() {
        let lexicon = Lexicon::from_bytes(compact(TEXT).unwrap());
        let found = lexicon.look_up(&BTreeSet::from(["a", "abler", "'em", "zoo's", "none"]));
        use Phone as P;
        assert_eq!(found["a"], [vec![P::Ah], vec![P::Ey]]);
        assert_eq!(found["abler"], [vec![P::Ey, P::B, P::Ah, P::L, P::Er]]);
        assert_eq!(found["'em"], [vec![P::Ah, P::M]]);
        assert_eq!(found["zoo"], [vec![P::Z, P::Uw]]);
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn damage_is_harmless() {
        let whole = compact(TEXT).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 0x55;
            bytes.truncate(whole.len() - i / 2);
            Lexicon::from_bytes(bytes).look_up(&BTreeSet::from(["a"]));
        }
        assert!(compact("word XX1\n").is_err() && compact("wörd W ER1 D\n").is_err());
    }
}
