//! A pronouncing dictionary in little memory: only what the rules for unknown words ([`letters`](super::letters)) get
//! wrong, as corrections of what they say.
//!
//! Half of the words of an English dictionary are said as the rules say them, and most others differ in one phone. What is
//! kept is deflated (RFC 1951): eight bytes that name the rules, four lengths and four lists. *Heads* have a byte for each
//! entry: how many letters it shares with the word before, or [`AGAIN`] for another way to say that word. *Letters* are the
//! word's other letters, the last marked by the top bit. *Skips* and *phones* are the corrections of what the rules say, or
//! of the way before: so many phones stay, then one is replaced, put in or left out; [`STOP`] ends an entry.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};

use super::super::phone::Phone;
use super::{letters, said_by_rule, stem, with_s};
use crate::pack::Pack;

/// Name of the tensor in a pack.
pub const TENSOR: &str = "words.english";
/// Marks a word's last letter, and stands alone where there is none.
const END: u8 = 0x80;
/// Head of another way to say the word before.
const AGAIN: u8 = 0xff;
/// Skip after the last correction of an entry.
const STOP: u8 = 0xff;
/// Codes of corrections: below it replace, from it on put in, [`LEAVE_OUT`] leaves out.
const PUT_IN: u8 = 64;
const LEAVE_OUT: u8 = 0xff;
/// Longest word and longest pronunciation that are kept.
const LONGEST: usize = 60;
/// Most bytes that a dictionary may inflate to.
const MOST: usize = 8 << 20;
/// Bytes of rules' name and lengths.
const HEADER: usize = 24;

/// The dictionary, deflated until words are looked up.
#[derive(Clone, Debug)]
pub struct Lexicon {
    bytes: Vec<u8>,
}

impl Lexicon {
    /// The dictionary of a pack, if it has one.
    pub fn from_pack(pack: &Pack) -> Option<Self> {
        pack.tensor(TENSOR).ok().map(|t| Self::from_bytes(t.bytes().to_vec()))
    }

    /// A dictionary that [`compact`] made. Damaged ones have wrong words or none, and nothing worse; one that was made for
    /// other rules has none.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The pronunciations of those words (and of the stems of those possessives) that the rules do not say rightly; one
    /// pass over the whole dictionary.
    pub(super) fn look_up(&self, wanted: &BTreeSet<&str>) -> HashMap<String, Vec<Vec<Phone>>> {
        let mut found: HashMap<String, Vec<Vec<Phone>>> = HashMap::new();
        let Ok(plain) = decompress_to_vec_with_limit(&self.bytes, MOST) else { return found };
        let Some([heads, letters, skips, phones]) = lists(&plain) else { return found };
        let (mut letters, mut skips, mut phones) =
            (letters.iter().copied(), skips.iter().copied(), phones.iter().copied());
        let (mut word, mut changes) = (Vec::new(), Vec::new());
        for &head in heads {
            if head != AGAIN {
                word.truncate(usize::from(head));
                for letter in letters.by_ref() {
                    if letter != END {
                        word.push(letter & !END);
                    }
                    if letter & END != 0 || word.len() > LONGEST {
                        break;
                    }
                }
            }
            changes.clear();
            changes.extend(skips.by_ref().take_while(|&skip| skip != STOP).zip(phones.by_ref()));
            let Ok(text) = std::str::from_utf8(&word) else { continue };
            // A possessive is made from its stem.
            if wanted.contains(text) || wanted.contains(format!("{text}'s").as_str()) {
                let ways = found.entry(text.to_owned()).or_default();
                let base = ways.last().filter(|_| head == AGAIN).cloned().unwrap_or_else(|| said_by_rule(text));
                ways.push(changed(&base, &changes));
            }
        }
        found
    }
}

/// A number that changes with the rules that a dictionary corrects.
pub fn rules_name() -> u64 {
    letters::fingerprint()
}

/// The four lists of an inflated dictionary that was made for the rules of this program.
fn lists(plain: &[u8]) -> Option<[&[u8]; 4]> {
    let (header, mut rest) = plain.split_at_checked(HEADER)?;
    let (rules, lengths) = header.split_at(8);
    if *rules != rules_name().to_le_bytes() {
        return None;
    }
    let mut lists: [&[u8]; 4] = [&[]; 4];
    for (list, length) in lists.iter_mut().zip(lengths.as_chunks::<4>().0) {
        (*list, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    }
    Some(lists)
}

/// `base` with corrections: phones that stay before it, and its code.
fn changed(base: &[Phone], changes: &[(u8, u8)]) -> Vec<Phone> {
    let mut said = Vec::with_capacity(base.len() + changes.len());
    let mut rest = base.iter().copied();
    for &(skip, code) in changes {
        said.extend(rest.by_ref().take(usize::from(skip)));
        if code == LEAVE_OUT || code < PUT_IN {
            rest.next();
        }
        if code != LEAVE_OUT {
            said.extend(Phone::ALL.get(usize::from(code % PUT_IN)));
        }
    }
    said.extend(rest);
    said
}

/// The fewest corrections that make `wanted` of `base`.
fn corrections(base: &[Phone], wanted: &[Phone]) -> Vec<(u8, u8)> {
    let columns = wanted.len() + 1;
    // how many corrections the first i phones of `base` need to become the first j of `wanted`
    let mut least = vec![0; (base.len() + 1) * columns];
    for i in 0..=base.len() {
        for j in 0..=wanted.len() {
            least[i * columns + j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let replaced = least[(i - 1) * columns + j - 1] + usize::from(base[i - 1] != wanted[j - 1]);
                    replaced.min(1 + least[(i - 1) * columns + j].min(least[i * columns + j - 1]))
                }
            };
        }
    }
    let (mut i, mut j) = (base.len(), wanted.len());
    // from the last to the first, with the place in `base`
    let mut steps = Vec::new();
    while i > 0 || j > 0 {
        let now = least[i * columns + j];
        if i > 0 && j > 0 {
            let same = base[i - 1] == wanted[j - 1];
            if now == least[(i - 1) * columns + j - 1] + usize::from(!same) {
                (i, j) = (i - 1, j - 1);
                if !same {
                    steps.push((i, wanted[j] as u8));
                }
                continue;
            }
        }
        if i > 0 && now == least[(i - 1) * columns + j] + 1 {
            i -= 1;
            steps.push((i, LEAVE_OUT));
        } else {
            j -= 1;
            steps.push((i, PUT_IN + wanted[j] as u8));
        }
    }
    let mut at = 0;
    let steps = steps.into_iter().rev().map(|(place, code)| {
        let skip = (place - at) as u8;
        at = place + usize::from(code == LEAVE_OUT || code < PUT_IN);
        (skip, code)
    });
    steps.collect()
}

/// Makes a dictionary of text: lines of a word, blank, its phones in ARPAbet; `word(2)` is another pronunciation, `#`
/// begins a comment (the format of the CMU pronouncing dictionary). Stress is dropped.
///
/// # Errors
/// The first line that has another form.
pub fn compact(text: &str) -> Result<Vec<u8>, String> {
    let words = read(text)?;
    // Words that come out right without being written down: by the letters, and possessives by their stem.
    let made = |word: &str| match stem(word) {
        Some(stem) => match words.get(stem) {
            Some(ways) => ways.iter().map(|way| with_s(way.clone())).collect(),
            None => vec![with_s(said_by_rule(stem))],
        },
        None => vec![said_by_rule(word)],
    };
    let mut lists: [Vec<u8>; 4] = Default::default();
    let mut last = "";
    for (word, ways) in words.iter().filter(|(word, ways)| made(word) != **ways) {
        let [heads, letters, skips, phones] = &mut lists;
        let shared = word.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        match word.as_bytes()[shared..].split_last() {
            None => letters.push(END),
            Some((last, before)) => {
                letters.extend_from_slice(before);
                letters.push(last | END);
            }
        }
        let mut base = &said_by_rule(word);
        for (i, way) in ways.iter().enumerate() {
            heads.push(if i == 0 { shared as u8 } else { AGAIN });
            for (skip, code) in corrections(base, way) {
                skips.push(skip);
                phones.push(code);
            }
            skips.push(STOP);
            base = way;
        }
        last = word;
    }
    let mut plain = rules_name().to_le_bytes().to_vec();
    plain.extend(lists.iter().flat_map(|list| (list.len() as u32).to_le_bytes()));
    plain.extend(lists.concat());
    Ok(compress_to_vec(&plain, 10))
}

/// All ways to say each word.
fn read(text: &str) -> Result<BTreeMap<&str, Vec<Vec<Phone>>>, String> {
    let mut words: BTreeMap<&str, Vec<Vec<Phone>>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some((word, said)) = line.split_once(char::is_whitespace) else { continue };
        let word = word.split('(').next().unwrap_or_default();
        let wrong = || format!("line {number} of the dictionary is no entry: {line}");
        if !word.bytes().all(|b| b.is_ascii_lowercase() || b"'.-_0123456789".contains(&b)) || word.len() > LONGEST {
            return Err(wrong());
        }
        let phone = |p: &str| Phone::from_name(p.trim_end_matches(['0', '1', '2']));
        let way: Vec<Phone> = said.split_whitespace().map(phone).collect::<Option<_>>().ok_or_else(wrong)?;
        if way.len() > LONGEST {
            return Err(wrong());
        }
        let ways = words.entry(word).or_default();
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pronounce;
    use super::*;

    const TEXT: &str = "'em AH0 M\na AH0\na(2) EY1\nable EY1 B AH0 L\nabler EY1 B AH0 L ER0 # rare\nzoo Z UW1\n";

    #[test]
    fn words_come_back() {
        let lexicon = Lexicon::from_bytes(compact(TEXT).unwrap());
        let found = lexicon.look_up(&BTreeSet::from(["a", "abler", "'em", "zoo's", "none"]));
        let say = |word: &str| pronounce(word, &found);
        use Phone as P;
        assert_eq!(say("a"), [vec![P::Ah], vec![P::Ey]]);
        assert_eq!(say("abler"), [vec![P::Ey, P::B, P::Ah, P::L, P::Er]]);
        assert_eq!(say("'em"), [vec![P::Ah, P::M]]);
        assert_eq!(say("zoo's"), [vec![P::Z, P::Uw, P::Z]]);
        assert!(!found.contains_key("none"));
    }

    #[test]
    fn what_the_rules_say_takes_no_room() {
        let known = compact("bim B IH1 M\nbim's B IH1 M Z\n").unwrap();
        assert_eq!(known, compact("").unwrap());
        assert!(compact("bim B AY1 M\n").unwrap().len() > known.len());
    }

    #[test]
    fn rules_of_another_program_are_noticed() {
        let mut plain = decompress_to_vec_with_limit(&compact(TEXT).unwrap(), MOST).unwrap();
        plain[0] ^= 1;
        let lexicon = Lexicon::from_bytes(compress_to_vec(&plain, 10));
        assert!(lexicon.look_up(&BTreeSet::from(["abler"])).is_empty());
    }

    #[test]
    fn damage_is_harmless() {
        let whole = decompress_to_vec_with_limit(&compact(TEXT).unwrap(), MOST).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 0x55;
            bytes.truncate(whole.len() - i / 2);
            Lexicon::from_bytes(compress_to_vec(&bytes, 1)).look_up(&BTreeSet::from(["a"]));
            Lexicon::from_bytes(bytes).look_up(&BTreeSet::from(["a"]));
        }
        assert!(compact("word XX1\n").is_err() && compact("wörd W ER1 D\n").is_err());
    }

    fn way() -> impl Strategy<Value = Vec<Phone>> {
        prop::collection::vec(prop::sample::select(Phone::ALL.to_vec()), 0..9)
    }

    proptest! {
        #[test]
        fn corrections_correct(base in way(), wanted in way()) {
            let steps = corrections(&base, &wanted);
            prop_assert_eq!(changed(&base, &steps), wanted.clone());
            prop_assert!(steps.len() <= base.len().max(wanted.len()));
        }

        #[test]
        fn any_dictionary_comes_back(words in prop::collection::btree_map("[a-c']{1,4}('s)?", prop::collection::vec(way(), 1..4), 1..30)) {
            let mut text = String::new();
            for (word, ways) in &words {
                for way in ways.iter().filter(|way| !way.is_empty()) {
                    let names: Vec<_> = way.iter().map(|p| p.name()).collect();
                    text += &format!("{word} {}\n", names.join(" "));
                }
            }
            let lexicon = Lexicon::from_bytes(compact(&text).unwrap());
            let expected = read(&text).unwrap();
            let found = lexicon.look_up(&expected.keys().copied().collect());
            for (word, ways) in &expected {
                prop_assert_eq!(&pronounce(word, &found), ways, "{}", word);
            }
        }
    }
}
