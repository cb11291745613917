# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds as a picture: what came through per second, and how long a reply took.

Rates are bars, each group to its own fastest, so that lengths of a group compare as rates do. Times
reach over powers of ten, and a bar has no length on such an axis: they are lines from p50 to p99.
"""

import math
from xml.sax.saxutils import escape

from figures import number, summary
from report import column, latency
from scenarios import VARIANTS

COLOURS = {"relay": "#1b6ca8", "p256": "#2a9d8f", "rsa2048": "#74b49b", "postfix": "#d1495b",
           "exim": "#edae49", "opensmtpd": "#9d7ab5"}
OTHER = "#7a7a7a"
BAR, GAP, HEAD, TOP = 15, 4, 26, 80
LEFT, PANEL, BETWEEN, VALUE = 220, 330, 40, 70


class Scale:
    """Logarithmic, from one power of ten to another."""

    def __init__(self, values, left, width):
        values = [value for value in values if value > 0] or [1]
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.left = left
        self.width = width

    def at(self, value):
        part = (math.log10(max(value, 10 ** self.low)) - self.low) / (self.high - self.low)
        return self.left + part * self.width

    def ticks(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def text(x, y, words, anchor="start", size=11, colour="#333", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
            f'font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour="#ddd", width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"/>')


def bar(left, y, length, colour):
    return (f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(length, 1):.1f}" height="{BAR}" '
            f'fill="{colour}" rx="2"/>')


def whisker(y, ends):
    middle = y + BAR / 2
    return [line(ends[0], middle, ends[1], middle, "#222"),
            *(line(end, middle - 3, end, middle + 3, "#222") for end in ends)]


def dot(x, y, colour, fill):
    return (f'<circle cx="{x:.1f}" cy="{y + BAR / 2:.1f}" r="4" stroke="{colour}" '
            f'stroke-width="2" fill="{fill}"/>')


def heading(left, title, note):
    return [text(left, TOP - 38, title, size=13, weight="bold"),
            text(left + PANEL + VALUE, TOP - 38, note, "end", 10, "#777")]


def axis(scale, bottom):
    parts = []
    for tick in scale.ticks():
        x = scale.at(tick)
        parts += [line(x, TOP - 8, x, bottom),
                  text(x, TOP - 14, f"{tick:,g}", "middle", 10, "#777")]
    return parts


def rows_of(loads):
    """(load's title, [(variant, through, p50, p99)]) of all that counts."""
    for found in loads:
        rows = []
        for name, rounds in found["rounds"].items():
            through = summary(column(rounds, "through_per_s"))
            p50, p99 = (summary(latency(rounds, key)) for key in ("p50", "p99"))
            if through and p99:
                rows.append((name, through, p50, p99))
        if rows:
            yield found["title"], rows


def draw(loads, subtitle):
    groups = list(rows_of(loads))
    every = [row for _, rows in groups for row in rows]
    height = TOP + sum(HEAD + len(rows) * (BAR + GAP) + 6 for _, rows in groups) + 12
    width = LEFT + 2 * (PANEL + VALUE) + BETWEEN
    delay = Scale([value for row in every for value in (row[2]["median"], row[3]["median"])],
                  LEFT + PANEL + VALUE + BETWEEN, PANEL)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>',
             text(8, 18, subtitle, size=10, colour="#777"),
             *heading(LEFT, "Messages through per second", "a bar: part of its group's fastest"),
             *heading(delay.left, "End of data to reply, ms: p50 to p99", "less is better"),
             *axis(delay, height - 12)]
    y = TOP
    for title, rows in groups:
        parts.append(text(8, y + 14, title, size=12, weight="bold"))
        y += HEAD
        scale = PANEL / max(row[1]["most"] for row in rows)
        for row in rows:
            parts += draw_row(row, y, scale, delay)
            y += BAR + GAP
        y += 6
    return "\n".join([*parts, "</svg>"]) + "\n"


def draw_row(row, y, scale, delay):
    name, through, p50, p99 = row
    colour = COLOURS.get(name, OTHER)
    ends = [LEFT + through[end] * scale for end in ("least", "most")]
    first, last = (delay.at(found["median"]) for found in (p50, p99))
    return [text(LEFT - 8, y + 12, VARIANTS[name].title, "end"),
            bar(LEFT, y, through["median"] * scale, colour), *whisker(y, ends),
            text(ends[1] + 6, y + 12, number(through["median"])),
            line(first, y + BAR / 2, last, y + BAR / 2, colour, 3),
            dot(first, y, colour, "#fff"), dot(last, y, colour, colour),
            text(last + 9, y + 12, f"{number(p50['median'], 2)} – {number(p99['median'], 2)}")]
