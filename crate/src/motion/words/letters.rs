//! How letters are said where no dictionary knows the word: rules learnt from one (`training/speech/letters.py`), each a
//! letter between its neighbours and the phones it stands for. The longest context that fits decides.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::super::phone::Phone;

/// Lines of `left.letter.right phones`; `#` is the edge of a word.
const RULES: &str = include_str!("letters.txt");
/// Letters to the left and right of the contexts, as the training has them; later ones win.
#[rustfmt::skip]
const CONTEXTS: [(usize, usize); 17] = [
    (0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (2, 2), (1, 3), (3, 1), (2, 3), (3, 2),
    (0, 4), (1, 4), (3, 3),
];
const EDGE: &str = "####";

type Rules = HashMap<&'static str, Vec<Phone>>;

fn rules() -> &'static Rules {
    static PARSED: OnceLock<Rules> = OnceLock::new();
    PARSED.get_or_init(|| {
        let rule = |line: &'static str| {
            let (context, said) = line.split_once(' ').unwrap_or((line, ""));
            (context, said.split_whitespace().filter_map(Phone::from_name).collect())
        };
        RULES.lines().map(rule).collect()
    })
}

/// A number that changes with the rules (FNV-1a): what was made with their help fits these rules only.
pub(super) fn fingerprint() -> u64 {
    let contexts = CONTEXTS.iter().flat_map(|&(left, right)| [left as u8, right as u8]);
    RULES
        .bytes()
        .chain(contexts)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The phones of a word of small letters a to z.
pub(super) fn say(word: &str) -> Vec<Phone> {
    let (rules, padded) = (rules(), format!("{EDGE}{word}{EDGE}"));
    let mut said = Vec::new();
    let mut context = String::new();
    for i in EDGE.len()..padded.len() - EDGE.len() {
        for &(left, right) in CONTEXTS.iter().rev() {
            context.clear();
            for part in [&padded[i - left..i], ".", &padded[i..=i], ".", &padded[i + 1..i + 1 + right]] {
                context.push_str(part);
            }
            if let Some(phones) = rules.get(context.as_str()) {
                said.extend_from_slice(phones);
                break;
            }
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_words_can_be_said() {
        let text = |word: &str| say(word).iter().map(|p| p.name()).collect::<Vec<_>>().join(" ");
        assert_eq!(text("bim"), "B IH M");
        assert_eq!(text("shope"), "SH OW P");
        assert_eq!(text("phoom"), "F UW M");
        assert!(say("").is_empty());
        // Whatever is written, something is said, and never much more than is written.
        for word in ["zzzyx", "aaaaaaaaaa", "qqqq", "xylophonist"] {
            assert!(!say(word).is_empty() && say(word).len() <= 2 * word.len(), "{word}");
        }
    }

    #[test]
    fn every_letter_has_a_rule_and_every_rule_can_be_read() {
        for letter in 'a'..='z' {
            assert!(rules().contains_key(format!(".{letter}.").as_str()), "{letter}");
        }
        for line in RULES.lines() {
            let (_, said) = line.split_once(' ').unwrap_or((line, ""));
            assert!(said.split_whitespace().all(|p| Phone::from_name(p).is_some()), "{line}");
        }
    }
}
