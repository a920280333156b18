"""Prints the table of bench/peers/run.sh: report.py DIRECTORY VERSION [JSON-FILE].

DIRECTORY has the measurements: those of the peers in `measured`, those of pgq in `pgq.ROUND`.
"""

import json
import statistics
import sys
from pathlib import Path

PGQ = "pgq"


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines() if line.strip()]


def peer_rows(directory):
    """One row per measurement, over all rounds."""
    rounds = {}
    for r in lines(directory / "measured"):
        rounds.setdefault(tuple(r[k] for k in ("system", "version", "setting", "question", "case")), []).append(r)
    for (system, version, setting, question, case), some in rounds.items():
        rates = [r["n"] / r["seconds"] for r in some]
        yield {
            "question": question, "case": case, "unit": "jobs/s", "median": statistics.median(rates), "min": min(rates),
            "max": max(rates), "n": some[-1]["n"], "rounds": len(rates), "system": system, "version": version,
            "setting": setting, "how": some[-1]["how"],
        }


def pgq_rows(directory, version):
    """A row has the median of the medians that the runs of pgq_bench report, and the spread of all their rounds."""
    runs = {}
    for file in sorted(directory.glob("pgq.*")):
        for r in lines(file):
            if "median" in r:
                runs.setdefault((r["question"], r["case"]), []).append(r)
    for some in runs.values():
        medians = [r["median"] for r in some]
        yield some[-1] | {
            "median": statistics.median(medians), "min": min(r["min"] for r in some), "max": max(r["max"] for r in some),
            "rounds": len(some), "system": PGQ, "version": version, "setting": "", "how": some[-1].get("note", ""),
        }


def rounded(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def print_table(head, rows, left):
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    for r in [head, *rows]:
        cells = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))]
        print("  ".join(cells).rstrip())


def print_rows(rows):
    table = []
    for r in rows:
        spread = f"{r['min'] / r['median'] * 100 - 100:+.0f}{r['max'] / r['median'] * 100 - 100:+.0f}%"
        unit = "" if r["unit"] == "jobs/s" else f" [{r['unit']}]"
        table.append([r["system"], r["version"], r["setting"], f"{r['question']}, {r['case']}{unit}", f"{r['n']:,}",
                      rounded(r["median"]), spread, r["how"]])
    head = ["system", "version", "setting", "workload", "N", "jobs/s", "spread", "how"]
    print_table(head, table, left={0, 1, 2, 3, 7})


def print_ratios(own, others):
    """pgq's jobs/s divided by the peer's. Enqueue compares the same case. A peer has one case of drain: each case of
    pgq compares with that."""
    def median(question, *cases):
        return next((r["median"] for r in own if r["question"] == question and r["case"] in cases), None)

    columns = [
        ("enqueue, one at a time", "enqueue", "one at a time", median("enqueue", "one at a time", "batch 1")),
        ("enqueue, batch 1000", "enqueue", "batch 1000", median("enqueue", "batch 1000")),
        ("packed", "enqueue", "batch 1000", median("enqueue", "batch 1000, packed")),
        *((f"drain, pgq's {r['case']}", "drain", None, r["median"]) for r in own if r["question"] == "drain"),
    ]
    table = []
    for system, setting in dict.fromkeys((r["system"], r["setting"]) for r in others):
        cells = []
        for _, question, case, ours in columns:
            theirs = next((r["median"] for r in others if (r["system"], r["setting"], r["question"]) == (system, setting, question)
                           and case in (None, r["case"])), None)
            cells.append("-" if ours is None or theirs is None else f"{ours / theirs:,.1f}")
        table.append([system, setting, *cells])
    print("\npgq's jobs/s divided by the peer's")
    print_table(["system", "setting", *(c[0] for c in columns)], table, left={0, 1})


def main():
    directory = Path(sys.argv[1])
    own = list(pgq_rows(directory, sys.argv[2]))
    others = list(peer_rows(directory))
    if len(sys.argv) > 3:
        with open(sys.argv[3], "a") as file:
            file.writelines(json.dumps(r) + "\n" for r in own + others)
    print()
    print_rows(own + others)
    if own and others:
        print_ratios(own, others)


main()
