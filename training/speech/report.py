"""Prints the measures of speech.evaluate as Markdown tables.

    python -m speech.report runs/speech/results.json
"""
import json
import sys

from .measures import CHECKS

WRONG = "wrong closures a second"
RIGHT = "phones, visemes right (speech frames)"
OFFSET = "offset ms (median, p10, p90)"


def share(value):
    return f"{value:.2f}".lstrip("0") if value < 1 else "1.00"


def rate(row, check):
    return f"{share(row[check][0])} ± {share(row[check][3])} / {share(row[check][1])}"


def offset(row):
    return "{:+.0f} ({:+.0f}, {:+.0f})".format(*row[OFFSET]) if OFFSET in row else "–"


def table(rows):
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows[1:]:
        print("| " + " | ".join(str(v) for v in row) + " |")
    print()


def clean(groups):
    """two tables with all measures of all groups"""
    rows = [[name, *(f"{rate(r, c)} ({r[c][2]})" for c in CHECKS), f"{r[WRONG]:.2f} ± {r[WRONG + ', 95 %']:.2f}"]
            for name, r in groups.items()]
    table([["rate ± 95 % of chance / at random (n)", *CHECKS, WRONG], *rows])
    rows = [[name, f"{r['clips']}, {r['seconds']}", " / ".join(share(v) for v in r[RIGHT]), share(r["r with the expected opening"]),
             offset(r), share(r["r with the teacher's gap"])] for name, r in groups.items()]
    table([["", "clips, seconds", "phones / visemes right", "r with expected opening", "offset ms: median (p10, p90)",
            "r with the teacher's gap"], *rows])


def spoilt(results, groups):
    """what each condition does to some groups"""
    rows = [[condition, *(f"{rate(by[g], 'P B M closed')}, {by[g][WRONG]:.2f}" for g in groups)] for condition, by in results.items()]
    table([["P B M closed ± 95 % / at random, " + WRONG, *groups], *rows])
    rows = []
    for condition, by in results.items():
        r = by[groups[0]]
        rows.append([condition, *(rate(r, c) for c in list(CHECKS)[1:]), " / ".join(share(v) for v in r[RIGHT]), offset(r)])
    table([[groups[0], *list(CHECKS)[1:], "phones / visemes", "offset ms"], *rows])


def main():
    report = json.load(open(sys.argv[1]))
    print("Gates rise between", ", ".join(f"{k} {v[0]} and {v[1]}" for k, v in report["gates"].items()) + ".\n")
    if "clean" in report["results"]:
        print("### clean\n")
        clean(report["results"]["clean"])
    print("### spoilt\n")
    spoilt(report["results"], ("LJSpeech + pocketsphinx", "asterisk-en", "held-out adults", "held-out children"))


if __name__ == "__main__":
    main()
