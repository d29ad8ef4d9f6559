#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table and the chart of what bench-bytes.py measured: report.py FILE.json [CHART.svg]"""

import json
import sys
from xml.sax.saxutils import escape

COLUMNS = ("", "durability", "cache", "wall s", "CPU s", "x bound", "peak MiB", "MiB read",
           "MiB written", "")


def number(row, key, form="{:.2f}"):
    return form.format(row[key]) if key in row else ""


def remark(row):
    if "missing" in row:
        return "not measured: " + row["missing"]
    words = []
    if "rate_gb" in row:
        words.append(f"{row['rate_gb']:.2f} GB/s")
    if row["case"].startswith("h"):
        words.append(f"{row['rate']:.0f} images/s, {row['syncs']:.1f} syncs an image")
    if row["case"].startswith("b"):
        words.append(f"import {row['import_s'] * 1000:.1f} ms")
    return ", ".join(words)


def line(row):
    ratio = f"{row['wall'] / row['bound']:.2f}" if row.get("bound") else ""
    return (row["name"], row.get("durability", ""), row.get("cache", ""), number(row, "wall"),
            number(row, "cpu"), ratio, number(row, "peak", "{:.0f}"), number(row, "read", "{:.0f}"),
            number(row, "written", "{:.0f}"), remark(row))


def by_case(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row["case"], []).append(row)
    return groups


def table(facts):
    out = [f"{facts['cores']} cores, random bytes of {facts['mib']} MiB unless stated, "
           f"median of {facts['runs']}. Bound: the larger of the slowest stage alone and all "
           "stages' CPU seconds / cores, measured in the same run."]
    for case, rows in by_case(facts["rows"]).items():
        out += ["", f"**{case}**", "", "| " + " | ".join(COLUMNS) + " |",
                "|" + "---|" * len(COLUMNS)]
        out += ["| " + " | ".join(line(row)) + " |" for row in rows]
    return "\n".join(out)


def chart(facts, width=760, height=18, left=250):
    """Bars of wall seconds, a scale a case; the mark is the bound."""
    parts, y = [], 10
    for case, rows in by_case(facts["rows"]).items():
        rows = [row for row in rows if "wall" in row]
        if not rows or case[0] not in "acde":
            continue
        longest = max(row["wall"] for row in rows) or 1
        scale = (width - left - 70) / longest
        parts.append(f'<text x="0" y="{y + 13}" font-weight="bold">{escape(case)}</text>')
        y += height + 4
        for row in rows:
            label = " ".join(filter(None, (row["name"], row.get("durability"), row["cache"])))
            length = row["wall"] * scale
            fill = "#1f6feb" if row.get("ours") else "#9aa4b2"
            parts.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">'
                         f'{escape(label)}</text>'
                         f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{height - 4}" '
                         f'fill="{fill}"/>'
                         f'<text x="{left + length + 5:.1f}" y="{y + 12}">{row["wall"]:.2f} s</text>')
            if row.get("bound"):
                x = left + min(row["bound"], longest) * scale
                parts.append(f'<path d="M{x:.1f} {y - 2}v{height}" stroke="#d1242f"/>')
            y += height
        y += 14
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" '
            f'font-family="sans-serif" font-size="11"><title>Wall seconds; the red mark is the '
            f'bound</title><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n')


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        facts = json.load(file)
    print(table(facts))
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as out:
            out.write(chart(facts))


if __name__ == "__main__":
    main()
