"""The report as it is read from S3, and the file that is made of it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tomllib
from reports import BUCKET, COLUMNS, as_csv, publish, put_json

from orchestration import dashboard
from orchestration.dashboard import data, page
from orchestration.errors import ReportError

ROW = ("US", "Books", "A title", "R1", "4.00", "3")
ASSETS = Path(page.__file__).parent / "assets"


def test_reviews_by_columns(s3: Any) -> None:
    first = as_csv([ROW, ("UK", "Books", "A title", "R2", "", ""), ("US", "Toys", 'a "b",\nc 🎉', "R3", "4.50", "0")])
    second = as_csv([("9", "5.00", "R4", "A title", "Books", "US")], header=COLUMNS[::-1])
    publish(s3, "\ufeff" + first, second)
    report = data.read(s3, BUCKET, "reviews", environment="dev")
    assert (report.manifest, report.run["rows_reported"]) == (f"s3://{BUCKET}/reviews/manifest.json", 4)
    reviews = report.reviews
    assert (reviews.marketplaces, reviews.categories) == (["US", "UK"], ["Books", "Toys"])
    assert list(zip(reviews.marketplace, reviews.category, reviews.title, strict=True)) == [
        (0, 0, "A title"),
        (1, 0, "A title"),
        (0, 1, 'a "b",\nc 🎉'),
    ]
    assert (list(reviews.product), reviews.review_id) == ([0, 1, 2, 0], ["R1", "R2", "R3", "R4"])
    assert list(reviews.votes) == [3, 0, 0, 9]
    assert reviews.rating[0::2].tolist() == [4.0, 4.5]
    assert math.isnan(reviews.rating[1])


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Tom &amp; Jerry 5&#34; &quot;x&quot;", 'Tom & Jerry 5" "x"'),
        ("&lt;b&gt; &#x263a; &#9749; &trade; &nbsp;.", "<b> ☺ ☕ ™ \xa0."),
        ("&amp;#34; &amp;amp;", "&#34; &amp;"),
        ("S&D, Q&A; &woman &reg &copyright", "S&D, Q&A; &woman &reg &copyright"),
        ("<br /> &; &#; &#x; & ;", "<br /> &; &#; &#x; & ;"),
        (f"&#{'9' * 4000};", f"&#{'9' * 4000};"),
        ("&#55357;&#0;&#x110000;", "\ufffd\ufffd\ufffd"),
    ],
)
def test_titles_are_read_without_entities(s3: Any, title: str, read: str) -> None:
    """Products are those of the report all the same: what reads alike stays two."""
    publish(s3, as_csv([("US", "Books", title, "R1", 5, 1), ("US", "Books", read + " ", "R2", 5, 1)]))
    reviews = data.read(s3, BUCKET, "reviews", environment="dev").reviews
    assert reviews.title[0] == read
    assert len(reviews.title) == 2


@pytest.mark.parametrize(
    "locations",
    [
        [{"URIs": [f"s3://{BUCKET}/reviews/top_reviews/top_reviews_000.csv"]}],
        [{"URIPrefixes": [f"s3://{BUCKET}/reviews/"]}],
        [{"URIs": [f"https://{BUCKET}.s3.us-east-1.amazonaws.com/reviews/top%5Freviews/top_reviews_000.csv"]}],
        [{"URIs": [f"https://s3.amazonaws.com/{BUCKET}/reviews/top_reviews/top_reviews_000.csv"]}],
    ],
)
def test_places_a_manifest_may_name(s3: Any, locations: Any) -> None:
    publish(s3, as_csv([ROW]))
    put_json(s3, "reviews/manifest.json", {"fileLocations": locations})
    assert data.read(s3, BUCKET, "reviews", environment="dev").reviews.title == ["A title"]


HEADER = ",".join(COLUMNS)
CSV_URI = f"s3://{BUCKET}/reviews/top_reviews/top_reviews_000.csv"
RATINGS = "it should be between 1 and 5, or empty"
MANIFEST = f"s3://{BUCKET}/reviews/manifest.json"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", f"line 0: the columns should be {', '.join(COLUMNS)}; they are none"),
        ("a,b\n", f"line 1: the columns should be {', '.join(COLUMNS)}; they are a, b"),
        (f"{HEADER}\nUS,Books\n", "line 2: 2 values for 6 columns"),
        (
            f"{HEADER}\nUS,Books,T,R1,six,1\n",
            f"line 2: avg_star_rating is 'six'; {RATINGS}",
        ),
        (f"{HEADER}\nUS,Books,T,R1,6,1\n", f"line 2: avg_star_rating is '6'; {RATINGS}"),
        (f"{HEADER}\nUS,Books,T,R1,nan,1\n", f"line 2: avg_star_rating is 'nan'; {RATINGS}"),
        (
            f'{HEADER}\nUS,Books,"two\nlines",R1,5,-1\n',
            "line 3: helpful_votes is '-1'; it should be a whole number from 0 to 4294967295, or empty",
        ),
        (f'{HEADER}\nUS,Books,"T" x,R1,5,1\n', "line 2: ',' expected after '\"'"),
        (f'{HEADER}\nUS,Books,"T', "line 2: unexpected end of data"),
    ],
)
def test_text_that_is_no_report(s3: Any, text: str, line: str) -> None:
    publish(s3, as_csv([ROW]))
    s3.put_object(Bucket=BUCKET, Key="reviews/top_reviews/top_reviews_000.csv", Body=text.encode())
    with pytest.raises(ReportError) as caught:
        data.read(s3, BUCKET, "reviews", environment="dev")
    assert str(caught.value) == f"{CSV_URI}, {line}"


def test_bytes_that_are_no_text(s3: Any) -> None:
    publish(s3, as_csv([ROW]))
    s3.put_object(Bucket=BUCKET, Key="reviews/top_reviews/top_reviews_000.csv", Body=HEADER.encode() + b"\nUS,\xff")
    with pytest.raises(ReportError, match=r"^s3://reports/.*_000\.csv, line \d: 'utf-8' codec can't decode byte 0xff"):
        data.read(s3, BUCKET, "reviews", environment="dev")


@pytest.mark.parametrize(
    ("manifest", "line"),
    [
        (b"{", f"{MANIFEST} is not a QuickSight manifest: JSONDecodeError("),
        (b"[]", f"{MANIFEST} is not a QuickSight manifest: TypeError("),
        (b'{"entries": []}', f"{MANIFEST} is not a QuickSight manifest: KeyError('fileLocations')"),
        (b'{"fileLocations": []}', f"{MANIFEST} names no file; run the pipeline again: elt run reviews --env dev"),
        (
            b'{"fileLocations": [{"URIs": ["/etc/passwd"]}]}',
            f"{MANIFEST} names '/etc/passwd', which is no address in S3 (s3://… or https://….amazonaws.com/…)",
        ),
        (
            b'{"fileLocations": [], "globalUploadSettings": {"format": "JSON"}}',
            f"{MANIFEST} describes other files than CSV with a header, which is what the dashboard reads",
        ),
        (
            b'{"fileLocations": [{"URIs": ["s3://reports/gone.csv"]}]}',
            "there is no s3://reports/gone.csv; run the pipeline first: elt run reviews --env dev",
        ),
    ],
)
def test_manifests_that_name_no_report(s3: Any, manifest: bytes, line: str) -> None:
    publish(s3, as_csv([ROW]))
    s3.put_object(Bucket=BUCKET, Key="reviews/manifest.json", Body=manifest)
    with pytest.raises(ReportError) as caught:
        data.read(s3, BUCKET, "reviews", environment="dev")
    assert str(caught.value).startswith(line)


def test_no_report_yet(s3: Any, tmp_path: Path) -> None:
    line = f"^there is no s3://{BUCKET}/none/manifest.json; run the pipeline first: elt run reviews --env local$"
    with pytest.raises(ReportError, match=line):
        dashboard.write(s3, BUCKET, "none", tmp_path / "page.html", environment="local")
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_being_replaced(s3: Any) -> None:
    """UNLOAD writes over the files that the manifest names; its description comes after them."""
    publish(s3, as_csv([ROW]), rows_reported=2)
    with pytest.raises(ReportError) as caught:
        data.read(s3, BUCKET, "reviews", environment="dev")
    assert str(caught.value) == (
        f"the report behind {MANIFEST} has 1 rows and its run reported 2: "
        "a run may be replacing it; wait for its end (elt status --env dev) and try again"
    )


def test_a_description_that_is_none(s3: Any) -> None:
    publish(s3, as_csv([ROW]))
    put_json(s3, "reviews/run_000.json", {"rows_read": 1})
    with pytest.raises(ReportError, match=r"^s3://reports/reviews/run_000.json is not a run's description: KeyError"):
        data.read(s3, BUCKET, "reviews", environment="dev")


def test_written_whole_or_not_at_all(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(s3, as_csv([ROW]))
    path = tmp_path / "new folder" / "page.html"
    written = dashboard.write(s3, BUCKET, "reviews", path, environment="local")
    assert (written.reviews, written.products, written.run) == (1, 1, "reviews-2024-09-05")
    before = path.read_bytes()

    def fail(*_: Any, **__: Any) -> bytes:
        raise OSError("No space left on device")

    monkeypatch.setattr(page.gzip, "compress", fail)
    with pytest.raises(OSError, match="No space"):
        dashboard.write(s3, BUCKET, "reviews", path, environment="local")
    assert [file.read_bytes() for file in path.parent.iterdir()] == [before]


def test_data_is_never_markup(s3: Any, tmp_path: Path) -> None:
    """Whatever the report says, the page differs only in base64."""
    pages = []
    for number, text in enumerate(("plain", "</script><script>alert(1)</script><!-- {{style}} {{columns}}")):
        publish(s3, as_csv([(text, text, text, text, "5.00", "1")]), run_id=text)
        path = tmp_path / f"{number}.html"
        dashboard.write(s3, BUCKET, "reviews", path, environment="local")
        pages.append(re.sub(r'(<script type="text/plain" [^>]*>)[A-Za-z0-9+/=]+<', r"\1<", path.read_text("utf-8")))
    assert pages[0] == pages[1]


def test_nothing_ends_a_script_early() -> None:
    for name in ("chart.js/chart.umd.min.js", *(file.name for file in ASSETS.glob("*.js"))):
        if (ASSETS / name).is_file():
            assert not re.search(r"</script|<!--|\r", (ASSETS / name).read_text(encoding="utf-8"), re.IGNORECASE), name


def test_the_library_is_the_published_one() -> None:
    source = tomllib.loads((ASSETS / "chart.js/SOURCE.toml").read_text(encoding="utf-8"))
    library = (ASSETS / "chart.js" / Path(source["file"]).name).read_bytes()
    assert hashlib.sha256(library).hexdigest() == source["sha256"]
    assert f"Chart.js v{source['version']}\n".encode() in library[:200]
    assert b"MIT License" in (ASSETS / "chart.js/LICENSE.md").read_bytes()


def test_command_line(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orchestration.cli import invoke
    from orchestration.releases.environment import deployment

    publish(s3, as_csv([ROW]))
    found = SimpleNamespace(environment="dev", reports_bucket=BUCKET)
    monkeypatch.setattr(deployment, "find", lambda _: found)
    monkeypatch.setenv("LOCAL_CLOUD_STATE", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    path = tmp_path / "dashboards" / "reviews-dev.html"
    assert invoke(["dashboard", "reviews", "--env", "dev"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{path}\n"
    place, report = printed.err.splitlines()
    assert place == "dev: account 123456789012, region us-east-1"
    assert re.fullmatch(r"1 reviews of 1 products, report of \d{4}-\S+\+00:00", report)
    out, shown = tmp_path / "other.html", []
    monkeypatch.setattr("webbrowser.open", shown.append)
    assert invoke(["dashboard", "reviews", "--env", "dev", "--json", "--open", "--out", str(out)]) == 0
    assert shown == [out.as_uri()]
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "path": str(out),
        "reviews": 1,
        "products": 1,
        "written": told["written"],
        "run": "reviews-2024-09-05",
    }
    assert out.read_bytes() == path.read_bytes()
