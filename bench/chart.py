#!/usr/bin/env python3
"""Draws the rows of a benchmark as bars: bench/chart.py FILE.json... > chart.svg

bench/run.sh and bench/peers/run.sh write the files with --json, one object per line. The scale is logarithmic, because
the rates of the systems differ by large factors. A hollow bar shows the ceiling that was measured in the same run.
"""

import html
import json
import math
import sys

WIDTH, LABEL, BAR, GAP = 900, 330, 16, 6


def rows(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                # The questions about latency set the rate themselves, so it is not a result.
                if row.get("unit", "jobs/s") == "jobs/s" and row.get("median") and row["question"] != "latency":
                    yield row


def name(row):
    words = [row["question"] + ",", row["case"]]
    if row.get("system"):
        setting = f" ({row['setting']})" if row.get("setting") else ""
        words = [row["system"] + setting + ":"] + words
    return " ".join(words)


def draw(all_rows):
    most = max(max(r["median"], r.get("ceiling", 0)) for r in all_rows)
    least = min(r["median"] for r in all_rows)
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    scale = (WIDTH - LABEL - 90) / max(1, high - low)

    def x(value):
        return LABEL + (math.log10(value) - low) * scale

    height = 40 + len(all_rows) * (BAR + GAP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for power in range(low, high + 1):
        at = x(10**power)
        out.append(f'<line x1="{at:.0f}" y1="20" x2="{at:.0f}" y2="{height}" stroke="#ddd"/>')
        out.append(f'<text x="{at:.0f}" y="14" text-anchor="middle" fill="#666">{10**power:,}</text>')
    for i, row in enumerate(all_rows):
        y = 26 + i * (BAR + GAP)
        fill = "#9a9a9a" if row.get("system") not in (None, "pgq") else "#2a6f97"
        out.append(f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{html.escape(name(row))}</text>')
        if row.get("ceiling"):
            out.append(
                f'<rect x="{LABEL}" y="{y}" width="{x(row["ceiling"]) - LABEL:.1f}" height="{BAR}" fill="none" stroke="#2a6f97"/>'
            )
        out.append(f'<rect x="{LABEL}" y="{y}" width="{max(1, x(row["median"]) - LABEL):.1f}" height="{BAR}" fill="{fill}"/>')
        out.append(f'<text x="{x(max(row["median"], row.get("ceiling", 0))) + 6:.0f}" y="{y + 12}">{row["median"]:,.0f}</text>')
    out.append("</svg>")
    return "\n".join(out)


if __name__ == "__main__":
    found = list(rows(sys.argv[1:]))
    if not found:
        sys.exit("chart.py: no rates in " + " ".join(sys.argv[1:] or ["no files"]))
    print(draw(found))
