//! The 40 phones that encoder, timed phones and pronunciations share: ARPAbet without stress, and silence.

/// A sound of speech, named as ARPAbet does; in the order of the encoder's logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are ARPAbet's and say what they are")]
pub enum Phone {
    Sil,
    Aa,
    Ae,
    Ah,
    Ao,
    Aw,
    Ay,
    B,
    Ch,
    D,
    Dh,
    Eh,
    Er,
    Ey,
    F,
    G,
    Hh,
    Ih,
    Iy,
    Jh,
    K,
    L,
    M,
    N,
    Ng,
    Ow,
    Oy,
    P,
    R,
    S,
    Sh,
    T,
    Th,
    Uh,
    Uw,
    V,
    W,
    Y,
    Z,
    Zh,
}

use Phone as P;

impl Phone {
    /// How many there are.
    pub const COUNT: usize = 40;

    /// All of them, in order.
    #[rustfmt::skip]
    pub const ALL: [Self; Self::COUNT] = [
        P::Sil, P::Aa, P::Ae, P::Ah, P::Ao, P::Aw, P::Ay, P::B, P::Ch, P::D, P::Dh, P::Eh, P::Er, P::Ey, P::F, P::G,
        P::Hh, P::Ih, P::Iy, P::Jh, P::K, P::L, P::M, P::N, P::Ng, P::Ow, P::Oy, P::P, P::R, P::S, P::Sh, P::T, P::Th,
        P::Uh, P::Uw, P::V, P::W, P::Y, P::Z, P::Zh,
    ];

    const NAMES: [&'static str; Self::COUNT] = [
        "SIL", "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
        "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z",
        "ZH",
    ];

    /// ARPAbet's name in capitals (`AH`); `SIL` for silence.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The phone of exactly that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Whether it is a vowel or diphthong.
    pub fn is_vowel(self) -> bool {
        self.name().starts_with(['A', 'E', 'I', 'O', 'U'])
    }

    /// Whether both lips meet for it.
    pub fn is_bilabial(self) -> bool {
        matches!(self, P::P | P::B | P::M)
    }

    /// Whether the lower lip meets the upper teeth for it.
    pub fn is_labiodental(self) -> bool {
        matches!(self, P::F | P::V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_order_agree() {
        for (i, phone) in Phone::ALL.into_iter().enumerate() {
            assert_eq!((phone as usize, Phone::from_name(phone.name())), (i, Some(phone)));
        }
        assert_eq!(Phone::ALL.into_iter().filter(|p| p.is_vowel()).count(), 15);
    }
}
