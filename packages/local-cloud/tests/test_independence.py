"""The local cloud knows nothing of the pipelines that run on it."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src/local_cloud"

#: The names of this repository's other packages, and what its pipelines are made of.
FOREIGN = re.compile(
    r"glue[_-]ingest|glue[_-]transform|rs[_-]query|orchestration|yellow|reviews|\btlc\b|\btaxi|\belt\b"
    r"|load_month|ingest[_-]raw|IngestRaw|TransformTrips|LoadRedshift|load_audit",
    re.IGNORECASE,
)

#: The default state folder's name, and what the product is for.
ALLOWED = re.compile(r'Path\("\.elt"\)|LOCAL_CLOUD_STATE, else \.elt|serverless ELT')


def test_no_file_names_a_pipeline() -> None:
    files = [file for file in SOURCE.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    assert len(files) > 50
    found = [
        f"{file.relative_to(SOURCE)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if FOREIGN.search(ALLOWED.sub("", line))
    ]
    assert found == []
