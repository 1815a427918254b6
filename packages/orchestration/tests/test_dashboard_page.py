"""The page in a real browser: what it shows is what SQL says of the same CSV, and it does what a user asks."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import pytest
from chromium import Browser, Tab
from letters import each_width, every_font, sticking_out
from reports import BUCKET, as_csv, generate, publish

from orchestration import dashboard

DASH = "\u2013"
SPREAD = "document.querySelector('#rating-chart canvas')"
CATEGORIES = "document.querySelector('#category-chart canvas')"


@dataclass
class Pages:
    """Writes pages and opens them; a page must log nothing, and ask for nothing but itself."""

    s3: Any
    browser: Browser
    folder: Path

    def write(self, rows: list[Any]) -> Path:
        text = as_csv(rows)
        publish(self.s3, text)
        path = self.folder / f"{len(list(self.folder.iterdir()))}.html"
        dashboard.write(self.s3, BUCKET, "reviews", path, environment="local")
        path.with_suffix(".csv").write_text(text, encoding="utf-8", newline="")
        return path

    @contextmanager
    def open(self, path: Path, view: str = "", **options: Any) -> Iterator[Tab]:
        url = path.as_uri() + (f"#{view}" if view else "")
        with self.browser.tab(url, **options) as tab:
            yield tab
            assert tab.complaints == []
            assert set(tab.requests) == {path.as_uri()}


@pytest.fixture(scope="module")
def pages(s3: Any, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(s3, browser, tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def report(pages: Pages) -> Path:
    """The page of 5,000 reviews, some without a rating."""
    rows = [
        (*row[:4], "" if number % 97 == 0 else row[4], row[5])
        for number, row in enumerate(generate(5000, products=300))
    ]
    return pages.write(rows)


# --- the numbers ------------------------------------------------------------------------------------------------------


def figures(tab: Tab) -> dict[str, str]:
    return {name: tab.text(f"#{name}") for name in ("reviews", "products", "rating", "votes")}


def bars(tab: Tab, chart: str) -> dict[str, float]:
    """The bars that a chart has, from the first on."""
    names_and_values = "({ data }) => data.labels.map((name, place) => [name, data.datasets[0].data[place]])"
    return dict(tab.js(f"({names_and_values})(Chart.getChart({chart}))"))


def words(tab: Tab, chart: str) -> str:
    """What a chart says of itself to those who do not see it; the words are those at its bars."""
    return str(tab.js(f"{chart}.ariaLabel"))


def rows(tab: Tab, table: str) -> list[list[str]]:
    script = (
        f"[...document.querySelectorAll('{table} tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    return list(tab.js(script))


@dataclass
class Sql:
    """DuckDB on the CSV behind a page, for one choice of filters."""

    page: Path
    where: str

    def __call__(self, select: str) -> list[tuple[Any, ...]]:
        columns = {
            **dict.fromkeys(("marketplace", "product_category", "product_title", "review_id"), "VARCHAR"),
            "avg_star_rating": "DOUBLE",
            "helpful_votes": "BIGINT",
        }
        options = f"header = true, quote = '\"', escape = '\"', columns = {columns}"
        source = f"read_csv('{self.page.with_suffix('.csv')}', {options})"
        return (
            duckdb.connect()
            .sql(
                f"""
            WITH reviews AS (
                SELECT *, marketplace AS m, product_category AS c, product_title AS t, avg_star_rating AS stars,
                    helpful_votes AS votes
                FROM {source} WHERE {self.where}
            ),
            products AS (
                SELECT m, c, t, count(*) AS reviews, count(stars) AS rated, avg(stars) AS rating, sum(votes) AS votes
                FROM reviews GROUP BY m, c, t
            )
            {select}"""
            )
            .fetchall()
        )


def number(value: float | None, places: int = 0) -> str:
    """As a reader of the page expects it: a half is rounded away from zero."""
    if value is None:
        return DASH
    return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def flat(title: str) -> str:
    """A title in a table: lines run on, and entities are what they stand for."""
    return html.unescape(title).replace("\n", " ")


VIEWS = [
    ({}, "true"),
    ({"marketplace": ["UK"]}, "marketplace = 'UK'"),
    ({"category": ["Books", "Video_Games"]}, "product_category IN ('Books', 'Video_Games')"),
    (
        {"marketplace": ["DE", "JP"], "category": ["Camera"], "least": 2},
        "marketplace IN ('DE', 'JP') AND product_category = 'Camera'",
    ),
    ({"search": "CAFE bag"}, "product_title LIKE 'Café Bag%'"),
    ({"search": "gold", "marketplace": ["US"]}, "product_title LIKE '%Gold%' AND marketplace = 'US'"),
    ({"search": "& more"}, "product_title LIKE '%&amp; more'"),
]


@pytest.mark.parametrize(("view", "where"), VIEWS, ids=lambda value: value if isinstance(value, str) else "")
def test_numbers_are_those_of_sql(pages: Pages, report: Path, view: dict[str, Any], where: str) -> None:
    sql = Sql(report, where)
    with pages.open(report, urlencode({"least": 5} | view, doseq=True)) as tab:
        [(reviews, rated, rating, votes)] = sql("SELECT count(*), count(stars), avg(stars), sum(votes) FROM reviews")
        [(products,)] = sql("SELECT count(*) FROM products")
        assert figures(tab) == {
            "reviews": number(reviews),
            "products": number(products),
            "rating": number(rating, 2),
            "votes": number(votes),
        }
        spread = dict(sql("SELECT stars, count(*) FROM reviews WHERE stars IS NOT NULL GROUP BY stars"))
        assert bars(tab, SPREAD) == {f"{star} ★": spread.get(star, 0) for star in range(1, 6)}
        assert tab.text("#unrated") == (f"and {number(reviews - rated)} without a rating" if reviews > rated else "")
        for measure, select in (("reviews", "count(*)"), ("rating", "avg(stars)"), ("votes", "sum(votes)")):
            tab.choose("#measure", measure)
            told = sql(f"SELECT c, {select} AS value FROM reviews GROUP BY c ORDER BY value DESC, c")
            assert list(bars(tab, CATEGORIES).items()) == [(c, pytest.approx(value, rel=1e-12)) for c, value in told]
        least = view.get("least", 5)
        best = sql(
            f"SELECT t, c, m, reviews, rating FROM products WHERE rated >= {least} "
            "ORDER BY rating DESC, votes DESC, reviews DESC LIMIT 10"
        )
        assert [row[2:] for row in rows(tab, "#by-average")] == (
            [[number(reviews), number(rating, 2)] for *_, reviews, rating in best]
            or [[]]  # the one cell that says that there is none
        )
        helpful = sql("SELECT votes, reviews FROM products ORDER BY votes DESC, reviews DESC LIMIT 10")
        shown = [[*row[1].rsplit("\n", 1), *row[2:]] for row in rows(tab, "#by-votes")]
        assert [[row[4], row[2]] for row in shown] == [[number(votes), number(reviews)] for votes, reviews in helpful]
        all_products = sql("SELECT t, c, m, reviews, rating, votes FROM products")
        known = [[flat(t), f"{c} · {m}", number(n), number(r, 2), number(v)] for t, c, m, n, r, v in all_products]
        assert [row for row in shown if row not in known] == []


@pytest.mark.parametrize(
    ("key", "clicks", "order"),
    [
        ("votes", 0, "votes DESC, reviews DESC"),
        ("votes", 1, "votes, reviews DESC"),
        ("rating", 1, "rating DESC NULLS LAST, votes DESC"),
        ("rating", 2, "rating NULLS LAST, votes DESC"),
        ("reviews", 1, "reviews DESC, votes DESC"),
        ("category", 1, "c, votes DESC"),
        ("marketplace", 2, "m DESC, votes DESC"),
    ],
)
def test_sorted_and_paged(pages: Pages, report: Path, key: str, clicks: int, order: str) -> None:
    expected = [
        [c, m, number(reviews), number(rating, 2), number(votes)]
        for c, m, reviews, rating, votes in Sql(report, "m = 'US'")(
            f"SELECT c, m, reviews, rating, votes FROM products ORDER BY {order}"
        )
    ]
    with pages.open(report, "marketplace=US") as tab:
        for _ in range(clicks):
            tab.click(f"th[data-sort={key}] button")
        tab.choose("#page-size", "50")
        shown = []
        for _ in range(-(-len(expected) // 50)):
            shown += [row[1:5] + row[6:] for row in rows(tab, "#all")]
            told = tab.text("#range")
            tab.click("[data-page=next]")
        # Among equals the page takes the report's order, SQL any.
        places = {"votes": 4, "rating": 3, "reviews": 2, "category": 0, "marketplace": 1}
        assert [row[places[key]] for row in shown] == [row[places[key]] for row in expected]
        assert sorted(shown) == sorted(expected)
        assert told.endswith(f"{DASH}{len(expected)} of {len(expected)} products")
        assert tab.js("document.querySelector('[data-page=next]').disabled") is True
        sorting = tab.js("[...document.querySelectorAll('th[data-sort]')].map((th) => th.ariaSort)")
        assert [one for one in sorting if one != "none"] == [
            "ascending" if "DESC" not in order.split(",", maxsplit=1)[0] else "descending"
        ]


def test_titles_from_a_to_z(pages: Pages) -> None:
    titles = ["Zebra", "apple 10", "apple 9", "Öl", "", "apple 9"]
    page = pages.write([("US", f"Books {place}", title, f"R{place}", 5, place) for place, title in enumerate(titles)])
    with pages.open(page, "sort=title up") as tab:
        assert [row[0].split("\n")[0] for row in rows(tab, "#all")] == [
            "no title",
            "apple 9",
            "apple 9",
            "apple 10",
            "Öl",
            "Zebra",
        ]


# --- what a user does -------------------------------------------------------------------------------------------------


def test_filters_act_on_all_panels(pages: Pages, report: Path) -> None:
    def seen(tab: Tab) -> list[Any]:
        charts = [words(tab, SPREAD), words(tab, CATEGORIES)]
        return [figures(tab), *charts, *(rows(tab, table) for table in ("#by-average", "#by-votes", "#all"))]

    with pages.open(report) as tab:
        whole = seen(tab)
        assert (tab.text("#found"), tab.js("document.querySelector('#clear').hidden")) == ("", True)
        for menu, name in (("#marketplaces", "JP"), ("#categories", "Shoes")):
            tab.click(f"{menu} summary")
            place = tab.texts(f"{menu} label bdi").index(name)
            expected = tab.texts(f"{menu} label .number")[place]
            tab.click(f"{menu} label:nth-of-type({place + 1}) input")
            assert tab.text(f"{menu} summary b") == name
            assert figures(tab)["reviews"] == expected, "the menu says what a choice brings"
            assert all(new != old for new, old in zip(seen(tab), whole, strict=True))
        tab.click("#query")
        tab.type("no such thing")
        assert tab.text("#nothing") == "No product is left by these filters."
        assert tab.js("document.querySelector('#panels').checkVisibility()") is False
        tab.click("#clear")
        assert seen(tab) == whole
        assert tab.js("document.querySelector('#nothing').checkVisibility()") is False


def test_a_bar_is_a_filter(pages: Pages, report: Path) -> None:
    with pages.open(report) as tab:
        first = words(tab, CATEGORIES).split(": ")[1].split(" ")[0]
        bar = f"Chart.getChart({CATEGORIES}).getDatasetMeta(0).data[0]"
        x, y = tab.js(
            f"((bar, box) => [box.x + bar.x - 9, box.y + bar.y])({bar}, {CATEGORIES}.getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            tab.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        # The chart takes the click when it next draws, which a busy machine does late.
        tab.until(f"document.querySelector('#categories summary b').innerText === {json.dumps(first)}")
        assert figures(tab)["reviews"] == number(
            Sql(report, f"product_category = '{first}'")("SELECT count(*) FROM reviews")[0][0]
        )


def test_by_keyboard_alone(pages: Pages, report: Path) -> None:
    def focused(tab: Tab) -> str:
        return str(tab.js("document.activeElement.id || document.activeElement.tagName"))

    with pages.open(report) as tab:
        tab.press("Tab")
        assert focused(tab) == "theme"
        tab.press("Tab")
        tab.type("vintage")
        assert figures(tab)["reviews"] == number(Sql(report, "t LIKE 'Vintage%'")("SELECT count(*) FROM reviews")[0][0])
        tab.press("Tab")
        assert focused(tab) == "SUMMARY"
        tab.press("Enter")
        tab.press("Tab")
        tab.press("Space")
        assert tab.text("#marketplaces summary b") == tab.texts("#marketplaces label bdi")[0]
        tab.press("Escape")
        assert (focused(tab), tab.js("document.querySelector('#marketplaces').open")) == ("SUMMARY", False)
        tab.js("document.querySelector('#by-votes .title').focus()")
        title = tab.text("#by-votes .title")
        tab.press("Enter")
        assert (flat(tab.text("#product-title")), focused(tab)) == (flat(title), "close")
        tab.press("Escape")
        assert tab.js("document.querySelector('#product').open") is False
        assert tab.js("document.activeElement.className") == "title"


def test_one_product_shows_its_reviews_alone(pages: Pages, report: Path) -> None:
    sql = Sql(report, "true")
    [(title, category, marketplace)] = sql("SELECT t, c, m FROM products ORDER BY reviews DESC LIMIT 1")
    own = f"FROM reviews WHERE (t, c, m) = ({json.dumps(title)[1:-1]!r}, '{category}', '{marketplace}')".replace(
        '\\"', '"'
    )
    expected = sql(f"SELECT review_id, stars, votes {own} ORDER BY votes DESC")
    assert len(expected) > 100
    with pages.open(report, "sort=reviews down") as tab:
        tab.click("#all .title")
        tab.until("document.querySelector('#product-reviews tbody tr')")
        assert tab.text("#product-title") == html.unescape(title)
        assert tab.text("#product-place") == f"{category} · {marketplace}"
        assert len(rows(tab, "#product-reviews")) == 50
        assert tab.text("#more") == f"Show 50 more of {number(len(expected) - 50)}"
        while not tab.js("document.querySelector('#more').hidden"):
            tab.click("#more")
        shown = rows(tab, "#product-reviews")
        assert sorted(shown) == sorted([one, number(stars), number(votes)] for one, stars, votes in expected)
        assert [row[2] for row in shown] == [number(votes) for *_, votes in expected]
        assert [int(count.replace(",", "")) for count in tab.texts("#product-spread .number")] == [
            sum(stars == star for _, stars, _ in expected) for star in (5, 4, 3, 2, 1)
        ]


def test_the_address_keeps_the_view(pages: Pages, report: Path) -> None:
    with pages.open(report) as tab:
        tab.click("#query")
        tab.type("lamp & co")
        tab.click("#categories summary")
        tab.click("#categories label:nth-of-type(2) input")
        tab.click("#clear")
        tab.click("#query")
        tab.type("lamp")
        tab.choose("#least", "10")
        tab.js("new Promise((done) => setTimeout(done, 400))")
        assert tab.js("location.hash") == "#search=lamp&least=10"
        view = (figures(tab), rows(tab, "#by-average"))
    with pages.open(report, "search=lamp&least=10") as tab:
        assert (figures(tab), rows(tab, "#by-average")) == view
        tab.js("location.hash = '#marketplace=Atlantis&sort=nonsense&least=-1'")
        tab.js("new Promise((done) => setTimeout(done, 50))")
        assert figures(tab)["reviews"] == "5,000"


# --- how it looks -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded(pages: Pages) -> Path:
    """A page with a title, a category, an id and a number as long as they come."""
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
    return pages.write([("US", "Books" * 9, long, "R" * 40, 5, 4_000_000_000), *generate(300, products=60)])


@every_font
def test_fits_every_screen_in_every_font(pages: Pages, crowded: Path, letters: str) -> None:
    with pages.open(crowded) as tab:
        for width in each_width(tab, letters):
            for menu in ("#marketplaces", "#categories"):
                tab.click(f"{menu} summary")
                box = f"document.querySelector('{menu} fieldset').getBoundingClientRect()"
                assert tab.js(f"(({{ left, right }}) => left >= 0 && right <= {width})({box})")
                assert sticking_out(tab) == []
            tab.click(f"{menu} summary")
            tab.click("#by-votes .title")
            assert tab.js("document.querySelector('#product').open")
            assert sticking_out(tab) == []
            tab.press("Escape")


def test_a_bar_s_words_and_name_fit_its_chart(pages: Pages, crowded: Path) -> None:
    script = f"""(({{ ctx, width, chartArea, scales, data }}) => {{
        ctx.font = `12px ${{Chart.defaults.font.family}}`;
        const right = (words, place) => Chart.getChart({CATEGORIES}).getDatasetMeta(0).data[place].x + 6
            + ctx.measureText(words).width;
        const names = scales.y.ticks.map(({{ label }}) => ctx.measureText(label).width);
        return [Math.max(...data.datasets[0].words.map(right)) <= width, Math.max(...names) <= chartArea.left];
    }})(Chart.getChart({CATEGORIES}))"""
    with pages.open(crowded, width=320) as tab:
        for measure in ("reviews", "rating", "votes"):
            tab.choose("#measure", measure)
            assert tab.js(script) == [True, True], measure
            assert any(name == "Books" * 9 for name in bars(tab, CATEGORIES))
            assert any(
                label.endswith("…")
                for label in tab.js(f"Chart.getChart({CATEGORIES}).scales.y.ticks.map((t) => t.label)")
            )


@pytest.mark.parametrize("dark", [False, True])
def test_light_or_dark_as_the_system_is_and_light_on_paper(pages: Pages, report: Path, dark: bool) -> None:
    paper = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) > 128"
    with pages.open(report, dark=dark) as tab:
        assert tab.js(paper) is not dark
        assert tab.js("document.querySelector('#theme').ariaPressed") == str(dark).lower()
        ink = f"Chart.getChart({SPREAD}).options.color"
        tab.js(f"addEventListener('beforeprint', () => {{ window.printed = [{paper}, {ink}] }})")
        tab.send("Page.printToPDF")
        assert tab.js("window.printed") == [True, "rgb(26, 29, 33)"]
        assert tab.js(paper) is not dark


def test_light_or_dark_by_hand(pages: Pages, report: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    with pages.open(report) as tab:
        light = tab.js(paper)
        tab.click("#theme")
        dark = tab.js(paper)
        tab.send("Page.reload")
        tab.until("performance.getEntriesByName('shown').length")
        assert (tab.js(paper), dark != light) == (dark, True)
        tab.click("#theme")
        tab.scheme(dark=True)
        assert tab.js(paper) == light, "the choice wins over the system's"


# --- sizes and traps --------------------------------------------------------------------------------------------------


def test_titles_are_data(pages: Pages) -> None:
    traps = [
        "<script>document.title = 'caught'</script>",
        "</script><script>document.title = 'caught'</script>",
        "<img src=x onerror=\"document.title = 'caught'\">",
        "--><svg onload=\"document.title = 'caught'\">",
        "{{columns}} ${document.title = 'caught'}",
        "\u202egnp.exe",
        "line\nbreak, \"quote\" and 'quote' &amp; <br />",
        "&lt;img src=x onerror=&#34;document.title = &#39;caught&#39;&#34;&gt;",
        "&lt;/script&gt;&lt;script&gt;document.title = 'caught'&lt;/script&gt; &amp;lt;b&amp;gt;",
    ]
    page = pages.write([(f"<b>{place}</b>", trap, trap, trap, 5, 9 - place) for place, trap in enumerate(traps)])
    with pages.open(page) as tab:
        for menu in ("#marketplaces", "#categories"):
            tab.click(f"{menu} summary")
        shown = tab.js("[...document.querySelectorAll('#all .title')].map((title) => title.textContent)")
        assert shown == [html.unescape(trap) for trap in traps]
        for place in range(1, len(traps) + 1):
            tab.click(f"#all tr:nth-child({place}) .title")
            tab.press("Escape")
        assert tab.js("document.title") == "Product reviews"
        assert tab.js("document.querySelectorAll(':is(main, dialog) :is(script, img, svg, b b, br)').length") == 0


def test_titles_without_entities(pages: Pages) -> None:
    """What the published data writes as HTML is shown, found and sorted as it reads; the report's products stay two."""
    entities = "Tom &amp; Jerry 5&#34; &quot;x&quot;"
    titles = [entities, 'Tom & Jerry 5" "x"', "Tomcat", "&quot;Zebra&quot;", "Zoo"]
    page = pages.write([("US", "Books", title, f"R{n}", 5, 9 - n) for n, title in enumerate(titles)])
    with pages.open(page, "sort=title up") as tab:
        read = [row[0].split("\n")[0] for row in rows(tab, "#all")]
        assert read == ['"Zebra"', *['Tom & Jerry 5" "x"'] * 2, "Tomcat", "Zoo"]
        tab.click("#query")
        tab.type("tom & jerry")
        assert tab.text("#found") == "2 products"
        assert figures(tab)["reviews"] == "2"
        assert [row[1] for row in rows(tab, "#by-votes")] == ['Tom & Jerry 5" "x"\nBooks · US'] * 2
        tab.click("#all .title")
        assert tab.text("#product-title") == 'Tom & Jerry 5" "x"'
        tab.press("Escape")
        tab.click("#clear")
        tab.click("#query")
        tab.type("amp")
        assert tab.text("#nothing") == "No product is left by these filters."


def test_a_report_without_reviews_says_so(pages: Pages) -> None:
    with pages.open(pages.write([])) as tab:
        assert tab.text("#nothing").startswith("The report holds no reviews")
        assert tab.js("document.querySelector('#panels').checkVisibility()") is False


def test_a_report_of_one_review_has_its_figures(pages: Pages) -> None:
    with pages.open(pages.write([("US", "Books", "A title", "R1", "4.00", 1)])) as tab:
        assert figures(tab) == {"reviews": "1", "products": "1", "rating": "4.00", "votes": "1"}
        assert rows(tab, "#by-average") == [["1", "A title\nBooks · US", "1", "4.00"]]
        assert tab.text("#range") == f"1{DASH}1 of 1 product"


def test_a_hundred_thousand_reviews(pages: Pages) -> None:
    page = pages.write(generate(100_000, products=20_000))
    with pages.open(page) as tab:
        assert figures(tab)["reviews"] == "100,000"
        for letters in ("c", "ca", "caf"):
            tab.js("document.querySelector('#query').value = ''")
            tab.click("#query")
            tab.type(letters)
        [(reviews, products)] = Sql(page, "t LIKE '%Caf%'")("SELECT sum(reviews), count(*) FROM products")
        assert (figures(tab)["reviews"], figures(tab)["products"]) == (number(reviews), number(products))


def test_says_which_run_it_shows(pages: Pages, report: Path) -> None:
    with pages.open(report) as tab:
        assert tab.text("#run").startswith("local · report of ")
        assert tab.text("#run").endswith(" UTC · reviews since 2015: 5,007 read, 5,000 loaded, 5,000 reported")
        assert tab.text("#origin") == f"Run reviews-2024-09-05 on local, from s3://{BUCKET}/reviews/manifest.json"
