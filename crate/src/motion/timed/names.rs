//! What others call a phone: ARPAbet with its variants, IPA, and the viseme sets of speech services.

use super::super::phone::Phone;

use Phone as P;

/// A phone's name as aligners write it: ARPAbet in any case, with stress digits or Kaldi's word positions, TIMIT's and
/// the older ARPAbet's extra symbols, or IPA. Sounds that English lacks become the one that looks most alike.
pub fn phone(name: &str) -> Option<Phone> {
    let name = name.trim();
    arpabet(name).or_else(|| ipa(name))
}

fn arpabet(name: &str) -> Option<Phone> {
    let upper = name.to_ascii_uppercase();
    let plain = ["_B", "_I", "_E", "_S"].iter().find_map(|end| upper.strip_suffix(end)).unwrap_or(&upper);
    let plain = plain.strip_suffix(['0', '1', '2']).unwrap_or(plain);
    Phone::from_name(plain).or_else(|| {
        Some(match plain {
            "" | "SP" | "SPN" | "SILENCE" | "PAU" | "H#" | "#" | "_" | "EPI" | "<EPS>" | "<SIL>" | "<P:>" | "Q" => {
                P::Sil
            }
            "NSN" | "LAU" | "BRTH" => P::Sil,
            "AX" | "AX-H" | "AXH" => P::Ah,
            "AXR" => P::Er,
            "IX" => P::Ih,
            "UX" => P::Uw,
            "DX" | "DCL" => P::D,
            "TCL" => P::T,
            "BCL" => P::B,
            "PCL" => P::P,
            "GCL" => P::G,
            "KCL" => P::K,
            "EL" => P::L,
            "EM" => P::M,
            "EN" | "NX" => P::N,
            "ENG" => P::Ng,
            "H" | "HV" => P::Hh,
            "WH" => P::W,
            _ => return None,
        })
    })
}

/// IPA, also in the spelling of the Montreal Forced Aligner (`aj`, `tʰ`).
fn ipa(name: &str) -> Option<Phone> {
    // Stress, length, ties, releases, nasality and whatever else is written onto or beside a letter.
    let bare = |c: &char| {
        !matches!(c, 'ˈ' | 'ˌ' | 'ː' | 'ˑ' | '\'' | 'ʰ' | 'ʲ' | 'ʷ' | 'ˠ' | 'ˀ' | '˞' | '̃' | '.' | '|')
            && !('\u{300}'..='\u{36f}').contains(c)
            && !('\u{2e5}'..='\u{2e9}').contains(c)
    };
    let name: String = name.chars().filter(bare).collect();
    Some(match name.as_str() {
        "aɪ" | "aj" | "ɑɪ" | "ai" => P::Ay,
        "aʊ" | "aw" | "ɑʊ" | "au" => P::Aw,
        "eɪ" | "ej" | "ei" | "e" => P::Ey,
        "oʊ" | "əʊ" | "ow" | "əw" | "ou" | "o" => P::Ow,
        "ɔɪ" | "ɔj" | "oɪ" | "oi" => P::Oy,
        "tʃ" | "ʧ" | "tɕ" | "ʈʂ" => P::Ch,
        "dʒ" | "ʤ" | "dʑ" | "ɖʐ" => P::Jh,
        "ts" | "ʦ" => P::S,
        "dz" | "ʣ" => P::Z,
        "a" | "ɑ" | "ɒ" | "ɐ" => P::Aa,
        "æ" => P::Ae,
        "ʌ" | "ə" | "ɘ" => P::Ah,
        "ɔ" => P::Ao,
        "ɛ" | "ɜ" => P::Eh,
        "ɚ" | "ɝ" => P::Er,
        "ɪ" | "ɨ" => P::Ih,
        "i" => P::Iy,
        "ʊ" | "ʏ" | "œ" | "ø" | "ɵ" | "ɶ" => P::Uh,
        "u" | "ʉ" | "ɯ" => P::Uw,
        "ɥ" | "ʍ" => P::W,
        "ɡ" | "ɟ" | "ɢ" | "ɠ" => P::G,
        "c" | "q" => P::K,
        "h" | "ɦ" | "x" | "χ" | "ħ" | "ɣ" | "ʁ" | "ʀ" | "ʕ" => P::Hh,
        "ʔ" => P::Sil,
        "ɫ" | "ɭ" | "ʎ" | "ɬ" | "ɮ" => P::L,
        "ɱ" => P::M,
        "ɲ" | "ɳ" => P::N,
        "ŋ" | "ɴ" => P::Ng,
        "ɹ" | "ɻ" => P::R,
        "ɾ" | "ɽ" | "ɖ" | "ɗ" => P::D,
        "ʈ" => P::T,
        "ʃ" | "ʂ" | "ɕ" | "ç" => P::Sh,
        "ʒ" | "ʐ" | "ʑ" => P::Zh,
        "θ" => P::Th,
        "ð" => P::Dh,
        "β" | "ʋ" | "ⱱ" => P::V,
        "ɸ" => P::F,
        "ɓ" => P::B,
        "j" | "ʝ" => P::Y,
        // A letter that lost its marks.
        letter if letter.len() == 1 => return Phone::from_name(&letter.to_ascii_uppercase()),
        _ => return None,
    })
}

/// A viseme's name in the sets of Amazon Polly (which tells capitals from small letters) and Meta, or Azure's number.
/// The phone that stands for it is the one in the middle of the viseme's mouth shapes.
pub fn viseme(name: &str) -> Option<Phone> {
    let name = name.trim();
    if let Ok(number) = name.parse::<u64>() {
        return azure(number);
    }
    Some(match name {
        "sil" | "SIL" => P::Sil,
        "p" | "PP" => P::P,
        "f" | "FF" => P::F,
        "T" | "TH" => P::Th,
        "t" | "DD" => P::D,
        "nn" => P::N,
        "k" | "kk" => P::K,
        "S" => P::Sh,
        "CH" => P::Ch,
        "s" | "SS" => P::S,
        "r" | "RR" => P::R,
        "@" => P::Ah,
        "a" | "aa" => P::Aa,
        "e" => P::Ey,
        "E" => P::Eh,
        "i" | "I" | "ih" => P::Ih,
        "o" => P::Ow,
        "O" | "oh" => P::Ao,
        "u" | "U" | "ou" => P::Uw,
        _ => return None,
    })
}

/// Azure's (and SAPI's) viseme numbers 0 to 21.
pub fn azure(number: u64) -> Option<Phone> {
    #[rustfmt::skip]
    const PHONES: [Phone; 22] = [
        P::Sil, P::Ah, P::Aa, P::Ao, P::Eh, P::Er, P::Iy, P::Uw, P::Ow, P::Aw, P::Oy, P::Ay, P::Hh, P::R, P::L, P::S,
        P::Sh, P::Th, P::F, P::D, P::K, P::P,
    ];
    PHONES.get(usize::try_from(number).ok()?).copied()
}

/// Mouth shapes of Rhubarb Lip Sync, `A` to `H` and `X`.
pub fn rhubarb(shape: &str) -> Option<Phone> {
    Some(match shape {
        "X" => P::Sil,
        "A" => P::P,
        "B" => P::S,
        "C" => P::Eh,
        "D" => P::Aa,
        "E" => P::Ao,
        "F" => P::Uw,
        "G" => P::F,
        "H" => P::L,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arpabet_has_stress_variants_and_positions() {
        for (name, expected) in [
            ("AH0", P::Ah),
            ("ah1", P::Ah),
            ("AO2_E", P::Ao),
            ("t", P::T),
            ("T_B", P::T),
            ("sp", P::Sil),
            ("", P::Sil),
            ("axr", P::Er),
            ("bcl", P::B),
            ("ZH", P::Zh),
        ] {
            assert_eq!(phone(name), Some(expected), "{name}");
        }
        for name in ["XX", "A", "AH3", "AHH", "?", "SIL7", "日"] {
            assert_eq!(phone(name), None, "{name}");
        }
    }

    #[test]
    fn ipa_loses_its_marks() {
        for (name, expected) in [
            ("ˈaɪ", P::Ay),
            ("t͡ʃ", P::Ch),
            ("uː", P::Uw),
            ("ɔ̃", P::Ao),
            ("tʰ", P::T),
            ("pʲ", P::P),
            ("ŋ", P::Ng),
            ("ɹ", P::R),
        ] {
            assert_eq!(phone(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn visemes_keep_their_sets_apart() {
        assert_eq!((viseme("T"), viseme("t"), phone("T")), (Some(P::Th), Some(P::D), Some(P::T)));
        assert_eq!((viseme("S"), viseme("s"), viseme("PP")), (Some(P::Sh), Some(P::S), Some(P::P)));
        assert_eq!((viseme("21"), viseme("18"), viseme("22")), (Some(P::P), Some(P::F), None));
        assert_eq!((rhubarb("A"), rhubarb("Z")), (Some(P::P), None));
    }
}
