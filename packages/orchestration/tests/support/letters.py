"""Whether a page fits its screen, whatever the fonts of the machine that shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import Tab

#: Style sheets that stand for the fonts of other machines. The wide ones space letters and words as a page must bear by
#: WCAG 2.1, 1.4.12 (www.w3.org/WAI/WCAG21/Understanding/text-spacing.html); symbols twice as large stand for those that
#: an emoji font draws.
_SPACED = "letter-spacing: 0.12em !important; word-spacing: 0.16em !important"
LETTERS = {
    "own": "",
    "narrow": "* { letter-spacing: -0.08em !important }",
    "wide": f"* {{ {_SPACED} }}",
    "wide-monospace": f"* {{ font-family: monospace !important; {_SPACED} }}",
    "large-symbols": (
        '@font-face { font-family: symbols; src: local("DejaVu Sans"), local("Noto Color Emoji"), local("Arial"); '
        "size-adjust: 200%; unicode-range: U+2190-2BFF, U+1F300-1FAFF }"
        "* { font-family: symbols, sans-serif !important }"
    ),
}
#: Phones, and both sides of each width at which a page changes.
WIDTHS = (320, 360, 520, 521, 760, 761, 800, 899, 900, 920, 921, 1024, 1100, 1101, 1280, 1600)

#: Texts of which a part lies outside the panel or the card they are in, or outside the screen.
_STICKING_OUT = """(() => {
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = texts.nextNode()); ) {
    const parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility()) continue;
    if (parent.closest(".unseen, option, .title, summary b")) continue; // not drawn, or cut on purpose
    const box = parent.closest(".panel, .figures > div, dialog, fieldset") ?? document.documentElement;
    const { left, right } = box.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const rect of range.getClientRects())
      if (rect.left < left - 1 || rect.right > Math.min(right, innerWidth) + 1) {
        found.push(text.data.trim());
        break;
      }
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? [...found, `the page: ${scrollWidth} pixels`] : found;
})()"""


def each_width(tab: Tab, letters: str) -> Iterator[int]:
    """Show the page in `letters` and at one width after another; it must fit when it is shown and when it is left."""
    sheet = f"Object.assign(document.createElement('style'), {{textContent: {LETTERS[letters]!r}}})"
    tab.js(f"document.head.append({sheet})")
    for width in WIDTHS:
        tab.resize(width, 740)
        tab.frames(3)  # charts follow their panels a frame later
        assert (width, sticking_out(tab)) == (width, [])
        yield width
        assert (width, sticking_out(tab)) == (width, [])


def sticking_out(tab: Tab) -> list[str]:
    return list(tab.js(_STICKING_OUT))


every_font = pytest.mark.parametrize("letters", LETTERS)
