"""The phone alphabet of the encoder and the groups in which phones are judged."""

PHONES = (
    "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH "
    "T TH UH UW V W Y Z ZH"
).split()
INDEX = {name: i for i, name in enumerate(PHONES)}

VOWELS = frozenset(p for p in PHONES if p[0] in "AEIOU")
BILABIAL = frozenset("P B M".split())
LABIODENTAL = frozenset("F V".split())
ROUNDED = frozenset("W UW OW".split())
WIDE_OPEN = frozenset("AE AY AW EH EY".split())
TONGUE_UP = {"L": 1.0, "T": 1.0, "D": 1.0, "N": 1.0, "TH": 0.8, "DH": 0.8}

# Phones that look alike on a face.
VISEMES = [
    "SIL", "P B M", "F V", "W UW UH OW", "SH ZH CH JH", "TH DH", "S Z", "T D N L", "K G NG HH", "R ER",
    "AA AO AW OY", "AE EH EY AY AH", "IY IH Y",
]
VISEME_OF = [next(v for v, names in enumerate(VISEMES) if p in names.split()) for p in PHONES]
