"""Learns how English letters are said, for words that no dictionary has: a short list of rules.

    python -m speech.letters --dictionary cmudict.dict --out ../crate/src/motion/words/letters.txt

Letters and phones of the CMU pronouncing dictionary are aligned (each letter says none, one or two phones); then rules
`left letter right phones` are taken in from short to long contexts, each only if it corrects at least GAIN words more
than it spoils. The longest context that fits decides. One word in twenty is kept aside to measure.
"""
import argparse
import re
from collections import Counter, defaultdict
from math import log
from pathlib import Path

# Letters to the left and right that rules may look at, in the order in which they are learnt; later ones win.
CONTEXTS = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (2, 2), (1, 3), (3, 1), (2, 3), (3, 2), (0, 4), (1, 4), (3, 3)]
GAIN = 14
ROUNDS = 6
EDGE = "#"


def read(path):
    """-> [(word, phones)] of the first pronunciations that are letters only"""
    words = []
    for line in open(path, encoding="latin-1"):
        word, _, said = line.split("#")[0].strip().partition(" ")
        if re.fullmatch("[a-z]+", word):
            words.append((word, [re.sub(r"\d", "", p) for p in said.split()]))
    return words


def aligned(word, phones, cost):
    """the cheapest way to share the phones out among the letters -> [tuple of phones a letter], or None"""
    n, m = len(word), len(phones)
    best = [[(1e9, 0)] * (m + 1) for _ in range(n + 1)]
    best[0][0] = (0.0, 0)
    for i, letter in enumerate(word):
        for j in range(m + 1):
            here = best[i][j][0]
            if here >= 1e9:
                continue
            for k in (0, 1, 2):
                if j + k <= m:
                    c = here + cost(letter, tuple(phones[j : j + k]))
                    if c < best[i + 1][j + k][0]:
                        best[i + 1][j + k] = (c, k)
    if best[n][m][0] >= 1e9:
        return None
    out, j = [], m
    for i in range(n, 0, -1):
        k = best[i][j][1]
        out.append(tuple(phones[j - k : j]))
        j -= k
    return out[::-1]


def align(words):
    counts = None

    def cost(letter, said):
        if counts is None:  # at first: few phones, and likely the letter's own
            return (0.0 if len(said) == 1 else 1.2 if not said else 3.0) + (0 if said and said[0][0] == letter.upper() else 1)
        return -log((counts[letter][said] + 0.01) / (totals[letter] + 1))

    result = []
    for round_ in range(ROUNDS):
        part = words if round_ == ROUNDS - 1 else words[:: 4]
        result = [(w, a) for w, p in part if (a := aligned(w, p, cost))]
        fresh = defaultdict(Counter)
        for word, said in result:
            for letter, phones in zip(word, said):
                fresh[letter][phones] += 1
        counts, totals = fresh, {c: sum(v.values()) for c, v in fresh.items()}
    return result


def learn(pairs):
    """-> {(left, letter, right): phones}"""
    places = []  # padded word, index, phones, what the rules so far say
    for word, said in pairs:
        padded = EDGE * 4 + word + EDGE * 4
        places.extend([padded, i + 4, phones, None] for i, phones in enumerate(said))
    rules = {}
    for left, right in CONTEXTS:
        groups = defaultdict(list)
        for place in places:
            padded, i = place[0], place[1]
            groups[padded[i - left : i], padded[i], padded[i + 1 : i + 1 + right]].append(place)
        for context, members in groups.items():
            said, right_now = Counter(p[2] for p in members).most_common(1)[0]
            before = sum(p[2] == p[3] for p in members)
            if right_now - before >= GAIN or not (left or right):
                rules[context] = said
                for p in members:
                    p[3] = said
    return rules


def speak(word, rules):
    padded, out = EDGE * 4 + word + EDGE * 4, []
    for i in range(4, 4 + len(word)):
        for left, right in reversed(CONTEXTS):
            said = rules.get((padded[i - left : i], padded[i], padded[i + 1 : i + 1 + right]))
            if said is not None:
                out.extend(said)
                break
    return out


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        last, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            last, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, last + (x != y))
    return row[-1]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--dictionary", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    a = args.parse_args()
    words = read(a.dictionary)
    kept, aside = [w for i, w in enumerate(words) if i % 20], words[::20]
    rules = learn(align(kept))
    right = sum(speak(w, rules) == p for w, p in aside)
    wrong = sum(distance(speak(w, rules), p) for w, p in aside) / sum(len(p) for _, p in aside)
    lines = sorted(f"{l}.{c}.{r} {' '.join(said)}".rstrip() for (l, c, r), said in rules.items())
    a.out.write_text("\n".join(lines) + "\n")
    print(f"{len(rules)} rules; of {len(aside)} words kept aside {right / len(aside):.3f} are right, {wrong:.3f} of their phones wrong")


if __name__ == "__main__":
    main()
