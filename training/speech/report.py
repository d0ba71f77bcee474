"""Prints the measures of speech.evaluate as Markdown tables.

    python -m speech.report runs/speech/results.json
"""
import json
import sys

from .measures import CHECKS


def share(value):
    return f"{value:.2f}".lstrip("0") if value < 1 else "1.00"


def table(rows):
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows[1:]:
        print("| " + " | ".join(str(v) for v in row) + " |")
    print()


def main():
    report = json.load(open(sys.argv[1]))
    print("Gates rise between", ", ".join(f"{k} {v[0]} and {v[1]}" for k, v in report["gates"].items()), "\n")
    for condition, groups in report["results"].items():
        print(f"### {condition}\n")
        head = ["rate / at random (n)", *CHECKS, "wrong closures a second"]
        table([head] + [
            [name, *(f"{share(r[c][0])} ± {share(r[c][3])} / {share(r[c][1])} ({r[c][2]})" for c in CHECKS),
             f"{r['wrong closures a second']:.2f} ± {r['wrong closures a second, 95 %']:.2f}"]
            for name, r in groups.items()
        ])
        head = ["", "clips, seconds", "phones / visemes right", "r with expected opening", "offset ms: median (p10, p90)", "r with the teacher's gap"]
        table([head] + [
            [name, f"{r['clips']}, {r['seconds']}", " / ".join(share(v) for v in r["phones, visemes right (speech frames)"]),
             share(r["r with the expected opening"]) if "r with the expected opening" in r else "–",
             "{:+.0f} ({:+.0f}, {:+.0f})".format(*r["offset ms (median, p10, p90)"]) if "offset ms (median, p10, p90)" in r else "–",
             share(r["r with the teacher's gap"]) if "r with the teacher's gap" in r else "–"]
            for name, r in groups.items()
        ])


if __name__ == "__main__":
    main()
