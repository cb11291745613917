# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds become a median with its spread, and ratios of rounds that stood side by side."""

import math
import statistics


def quantile(values, part):
    ordered = sorted(values)
    return ordered[int(part * (len(ordered) - 1))] if ordered else 0


def summary(values):
    """Median, least and most; None when there is nothing."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "least": min(values), "most": max(values),
            "rounds": len(values)}


def ratio(above, below):
    """Of rounds with the same number; a round that one of both did not finish gives none."""
    return summary([a / b for a, b in zip(above, below) if a and b])


def number(value, digits=3):
    """At most so many digits that mean something: 18,295, 65.2, 0.471."""
    if value == 0:
        return "0"
    behind = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{min(max(behind, 0), digits)}f}"


def spread(found, digits=3):
    """`median (least–most)`."""
    if found is None:
        return "–"
    return (f"{number(found['median'], digits)} "
            f"({number(found['least'], digits)}–{number(found['most'], digits)})")
