# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds as a picture: what came through per second, and how long a reply took."""

import math
from xml.sax.saxutils import escape

from figures import number, summary
from report import column, latency
from scenarios import VARIANTS

COLOURS = {"relay": "#1b6ca8", "p256": "#2a9d8f", "rsa2048": "#74b49b", "postfix": "#d1495b",
           "exim": "#edae49", "opensmtpd": "#9d7ab5"}
OTHER = "#7a7a7a"
BAR, GAP, HEAD, TOP = 15, 4, 26, 64
LEFT, PANEL, BETWEEN, VALUE = 190, 330, 40, 70


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


def bar(scale, y, value, colour):
    """From the axis to the value, named at its end."""
    end = scale.at(value)
    return [f'<rect x="{scale.left:.1f}" y="{y:.1f}" width="{max(end - scale.left, 1):.1f}" '
            f'height="{BAR}" fill="{colour}" rx="2"/>']


def whisker(scale, y, least, most):
    middle = y + BAR / 2
    ends = [scale.at(least), scale.at(most)]
    return [line(ends[0], middle, ends[1], middle, "#222"),
            *(line(end, middle - 3, end, middle + 3, "#222") for end in ends)]


def axis(scale, bottom, title, unit):
    parts = [text(scale.left, TOP - 34, title, size=13, weight="bold")]
    for tick in scale.ticks():
        x = scale.at(tick)
        parts += [line(x, TOP - 8, x, bottom), text(x, TOP - 14, number(tick, 1), "middle", 10,
                                                    "#777")]
    return parts + [text(scale.left + scale.width + VALUE, TOP - 34, unit, "end", 10, "#777")]


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
    rate = Scale([row[1]["median"] for row in every], LEFT, PANEL)
    delay = Scale([value for row in every for value in (row[2]["median"], row[3]["median"])],
                  LEFT + PANEL + VALUE + BETWEEN, PANEL)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>',
             text(8, 18, subtitle, size=10, colour="#777")]
    parts += axis(rate, height - 12, "Messages through per second", "more is better")
    parts += axis(delay, height - 12, "End of data to reply, ms: p50 | p99", "less is better")
    y = TOP
    for title, rows in groups:
        parts.append(text(8, y + 14, title, size=12, weight="bold"))
        y += HEAD
        for name, through, p50, p99 in rows:
            colour = COLOURS.get(name, OTHER)
            parts.append(text(LEFT - 8, y + 12, VARIANTS[name].title, "end"))
            parts += bar(rate, y, through["median"], colour)
            parts += whisker(rate, y, through["least"], through["most"])
            parts.append(text(rate.at(through["most"]) + 5, y + 12, number(through["median"])))
            parts += bar(delay, y, p99["median"], colour)
            middle = delay.at(p50["median"])
            parts.append(line(middle, y, middle, y + BAR, "#fff", 2))
            parts.append(text(delay.at(p99["median"]) + 5, y + 12,
                              f"{number(p50['median'], 2)} | {number(p99['median'], 2)}"))
            y += BAR + GAP
        y += 6
    return "\n".join([*parts, "</svg>"]) + "\n"
