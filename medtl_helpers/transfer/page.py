"""Pieces of the report's HTML: one page that needs no network, in light colours, for a screen and for paper."""

import html
from collections.abc import Iterable, Sequence

from ..methods.intervals import Interval

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: #ffffff; color: #1f2933;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .75rem; padding-top: 1rem; border-top: 1px solid #d5dbe1; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .4rem; }
p, ul { margin: .6rem 0; } li { margin: .25rem 0; overflow-wrap: anywhere; } a { color: #00598c; }
.small { color: #51606d; font-size: .875rem; }
.warning { background: #fdf3e1; border-left: 5px solid #b45309; padding: .75rem 1rem; margin: 1.25rem 0; }
.summary { background: #eef5fa; border-left: 5px solid #0072b2; padding: .5rem 1rem; margin: 1.25rem 0; }
nav ul { columns: 2; margin: 0; padding-left: 1.1rem; } nav li { margin: 0 0 .4rem; break-inside: avoid; }
.facts dt { font-weight: 600; margin-top: .5rem; } .facts dd { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .35rem 0 .75rem; font-size: .9rem; font-variant-numeric: tabular-nums; }
figure.wide > figcaption { color: #51606d; padding-top: .75rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f6f8; padding: .75rem 1rem; }
th, td { border-bottom: 1px solid #d5dbe1; padding: .3rem .7rem .3rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #9aa7b3; } td.number, th.number { text-align: right; white-space: nowrap; }
tr.chosen td { background: #eef5fa; font-weight: 600; }
@media (max-width: 40rem) { td.long { min-width: 14em; } }
img { max-width: 100%; height: auto; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; }
figure { margin: 0; break-inside: avoid; } figcaption { font-size: .85rem; overflow-wrap: anywhere; }
details { margin: .75rem 0; } summary { cursor: pointer; color: #00598c; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } h2, h3 { break-after: avoid; }
  tr, .warning, .summary { break-inside: avoid; } nav { display: none; } .wide { overflow: visible; }
  table { font-size: 8.5pt; } .cases { grid-template-columns: repeat(4, 1fr); } }
"""
LONG = 40  # characters of a cell that is no narrow column on a phone
OPEN_IN_PRINT = "addEventListener('beforeprint',()=>document.querySelectorAll('details').forEach(d=>d.open=true))"


class Digits(str):
    """A number that is written already: it stands on the right of its column."""


def text(value) -> str:
    """Any value as text of a page; what is no character becomes a question mark."""
    if isinstance(value, Interval):
        return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]".replace("-", "−")
    if isinstance(value, float):
        return "" if value != value else f"{value:.3g}".replace("-", "−")
    return html.escape(str(value).encode("utf-8", "replace").decode())


def how_many(number: float, noun: str) -> str:
    """A number and its noun, whose plural has an s: "1 pair", "2 pairs"."""
    return f"{number:.12g} {noun}{'' if number == 1 else 's'}"


def paragraph(*sentences: str, kind: str = "") -> str:
    """Sentences, escaped; ``kind`` is a class of the style."""
    return f"<p{_class(kind)}>{' '.join(text(one) for one in sentences if one)}</p>"


def box(kind: str, *paragraphs: str) -> str:
    """``paragraphs`` of HTML in a box, "warning" or "summary"."""
    return f'<div class="{kind}">{"".join(paragraphs)}</div>'


def facts_list(rows: Iterable[tuple[str, str]]) -> str:
    """Pairs of a heading and what is to be said of it."""
    return f'<dl class="facts">{"".join(f"<dt>{text(a)}</dt><dd>{text(b)}</dd>" for a, b in rows)}</dl>'


def bullets(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{text(item)}</li>' for item in items)}</ul>"


def folded(title: str, content: str) -> str:
    """``content`` behind a line to click on; open on paper."""
    return f"<details><summary>{text(title)}</summary>{content}</details>"


def table(head: Sequence[str], rows: Iterable[Sequence], caption: str, chosen: int | None = None) -> str:
    """A table of text, numbers and intervals; the row ``chosen`` stands out."""
    rows = [list(row) for row in rows]
    right = [
        bool(rows) and all(isinstance(row[c], int | float | Interval | Digits) for row in rows)
        for c in range(len(head))
    ]

    def cell(kind: str, c: int, value) -> str:
        scope = ' scope="col"' if kind == "th" else ""
        look = "number" if right[c] else "long" if kind == "td" and len(str(value)) > LONG else ""
        return f"<{kind}{scope}{_class(look)}>{text(value)}</{kind}>"

    top = "".join(cell("th", c, name) for c, name in enumerate(head))
    body = "".join(
        f"<tr{_class('chosen' if r == chosen else '')}>{''.join(cell('td', c, v) for c, v in enumerate(row))}</tr>"
        for r, row in enumerate(rows)
    )
    return (
        f'<figure class="wide" tabindex="0"><figcaption>{text(caption)}</figcaption>'
        f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></figure>"
    )


def case(image: str, lines: Iterable[str]) -> str:
    """A picture with what is to be known of it beneath."""
    return f"<figure>{image}<figcaption>{'<br>'.join(text(line) for line in lines)}</figcaption></figure>"


def cases(figures: Iterable[str]) -> str:
    return f'<div class="cases">{"".join(figures)}</div>'


def document(title: str, top: str, sections: Sequence[tuple[str, str]]) -> str:
    """The page: a title, what comes first, and (heading, HTML) of each section, with a table of contents."""
    contents = "".join(f'<li><a href="#s{k}">{text(head)}</a></li>' for k, (head, _) in enumerate(sections, 1))
    body = "".join(
        f'<section aria-labelledby="s{k}"><h2 id="s{k}">{k}. {text(head)}</h2>{content}</section>'
        for k, (head, content) in enumerate(sections, 1)
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>{text(title)}</h1>{top}"
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>{body}</main>'
        f"<script>{OPEN_IN_PRINT}</script></body></html>\n"
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
