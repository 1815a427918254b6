"""Is it the file that was asked for: by its first bytes, its names, its footer's statistics."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from glue_ingest import Request, validation
from glue_ingest.errors import Encrypted, NotParquet, WrongMonth
from glue_ingest.parquet import Column, Footer, footer_length, parse_footer

REQUEST = Request("yellow", 2024, 1, "raw", "http://host/{dataset}_tripdata_{year}-{month}.parquet")
INT64, TEXT, INT96 = 2, 6, 3


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (b"<!DOCTYPE html><html>", "an HTML page, which begins with “<!DOCTYPE html><html>”"),
        (b"\n<HTML>", r"an HTML page, which begins with “\n<HTML>”"),
        (
            b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code><Message>",
            r"an S3 error document (AccessDenied), which begins with "
            r"“<?xml version='1.0'?>\n<Error><Code>AccessDenied<”",
        ),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer, which begins with “version https:"),
        (b"\x1f\x8b\x08\x00", r"gzip, which begins with “\x1f\x8b\x08\x00”"),
        (b"PK\x03\x04", r"a zip archive, which begins with “PK\x03\x04”"),
        (b"VendorID,tpep", "something that begins with “VendorID,tpep”"),
    ],
)
def test_other_files_are_named_and_shown(head: bytes, shown: str) -> None:
    with pytest.raises(NotParquet) as error:
        validation.require_head(head, where="http://host/x")
    assert str(error.value).startswith(f"http://host/x is not a Parquet file but {shown}")
    assert "\n" not in str(error.value)


def test_a_file_of_parquet_passes_and_an_empty_one_does_not() -> None:
    validation.require_head(b"PAR1" + b"\x15\x04", where="http://host/x")
    with pytest.raises(NotParquet, match="http://host/x is empty"):
        validation.require_head(b"", where="http://host/x")


def test_a_whole_footer_passes_and_tells_the_rows(month_file: Callable[..., bytes]) -> None:
    data = month_file()
    assert validation.require_footer(data, size=len(data), where="x").rows == 6553


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-1], "it does not end as one, so it is cut short"),
        (lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1", "its footer is said to be longer than the file"),
        (lambda data: data[:-8] + b"\x05\0\0\0PAR1", "its footer cannot be read"),
        (lambda data: data[:4] + data[-500:], "its footer places data up to byte 1"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(
    month_file: Callable[..., bytes], damage: Callable[[bytes], bytes], reason: str
) -> None:
    data = damage(month_file())
    with pytest.raises(NotParquet) as error:
        validation.require_footer(data, size=len(data), where="http://host/x")
    assert f"http://host/x ({len(data):,} bytes) is not a whole Parquet file, {reason}" in str(error.value)


@pytest.mark.parametrize(
    ("plaintext_footer", "how"),
    [(True, "some of its columns are encrypted"), (False, "its footer is encrypted")],
)
def test_an_encrypted_file_is_refused_as_such(tmp_path: Path, plaintext_footer: bool, how: str) -> None:
    data = encrypted_month(tmp_path / "month.parquet", plaintext_footer=plaintext_footer)
    refused = f"http://host/x is an encrypted Parquet file ({how}), and there is no key: publish it unencrypted"
    with pytest.raises(Encrypted) as error:
        validation.require_footer(data, size=len(data), where="http://host/x")
    assert str(error.value) == refused
    if plaintext_footer:
        validation.require_head(data, where="http://host/x")
    else:
        with pytest.raises(Encrypted) as error:
            validation.require_head(data, where="http://host/x")
        assert str(error.value) == refused


def encrypted_month(file: Path, *, plaintext_footer: bool) -> bytes:
    """A month with an encrypted amount, as Arrow writes it. Its keys are in it, behind a byte that is no text."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow.parquet
    from pyarrow.parquet import encryption

    class Keys(encryption.KmsClient):
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            return b"\xff" + key_bytes

        def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
            return wrapped_key[1:]

    options = encryption.EncryptionConfiguration(
        footer_key="footer", column_keys={"amounts": ["total_amount"]}, plaintext_footer=plaintext_footer
    )
    properties = encryption.CryptoFactory(lambda _: Keys()).file_encryption_properties(
        encryption.KmsConnectionConfig(), options
    )
    table = arrow.table({"tpep_pickup_datetime": [datetime(2024, 1, 3)], "total_amount": [1.0]})  # noqa: DTZ001
    with pyarrow.parquet.ParquetWriter(file, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    return file.read_bytes()


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["yellow_tripdata_2024-01.parquet"], ""),
        (["data", "download", ""], ""),
        (['attachment; filename="yellow_tripdata_2024-01.parquet"'], ""),
        (["yellow_tripdata_2023-01.parquet"], "yellow_tripdata_2023-01"),
        (["x", 'attachment; filename="yellow_tripdata_2024-02.parquet"'], "yellow_tripdata_2024-02"),
        (["green_tripdata_2024-01.parquet"], "green_tripdata_2024-01"),
    ],
)
def test_only_another_tlc_name_is_wrong(names: list[str], wrong: str) -> None:
    if not wrong:
        validation.require_names(names, REQUEST)
        return
    with pytest.raises(WrongMonth) as error:
        validation.require_names(names, REQUEST)
    assert str(error.value) == (
        f"http://host/yellow_tripdata_2024-01.parquet gave {wrong}.parquet instead of "
        "yellow_tripdata_2024-01.parquet: correct --source_url"
    )


def micros(text: str) -> bytes:
    return struct.pack("<q", int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()) * 10**6)


def pickup(low: bytes | None, high: bytes | None, *, kind: int = INT64, name: str = "tpep_pickup_datetime") -> Column:
    return Column(name, kind, "us" if kind == INT64 else "", low, high)


JANUARY = pickup(micros("2024-01-01"), micros("2024-01-31 23:59:59"))
MARCH = pickup(micros("2024-03-01"), micros("2024-03-31"))
STRAYS = pickup(micros("2008-12-31"), micros("2024-03-31"))
LATE_JANUARY = pickup(micros("2024-02-01 23:59"), micros("2024-03-31"))
FEBRUARY = pickup(micros("2024-02-02"), micros("2024-02-28"))
DECEMBER = pickup(micros("2023-12-01"), micros("2023-12-30 23:59:59"))
OTHER = Column("total_amount", 5, "", b"\0" * 8, b"\0" * 8)


@pytest.mark.parametrize(
    ("groups", "wrong"),
    [
        pytest.param([[OTHER, JANUARY]], False, id="the month itself"),
        pytest.param([[MARCH], [JANUARY]], False, id="one group of the month is enough"),
        pytest.param([[STRAYS]], False, id="strays may hide the month, so nothing is said"),
        pytest.param([[LATE_JANUARY]], False, id="a day to either side belongs to the month"),
        pytest.param([[MARCH]], True, id="another month"),
        pytest.param([[FEBRUARY], [DECEMBER]], True, id="both neighbours, more than a day away"),
        pytest.param([[MARCH], [pickup(None, None)]], False, id="a group without statistics"),
        pytest.param([[OTHER]], False, id="no pickup column"),
        pytest.param([], False, id="no rows"),
        pytest.param([[pickup(b"2024-03-01 00:00:00", b"2024-03-31", kind=TEXT)]], True, id="text of another month"),
        pytest.param([[pickup(b"2024-01-09 00:00:00", b"2024-01-31", kind=TEXT)]], False, id="text of the month"),
        pytest.param([[pickup(b"03/01/2024", b"03/31/2024", kind=TEXT)]], False, id="text of another form"),
        pytest.param([[pickup(b"\0" * 12, b"\0" * 12, kind=INT96)]], False, id="INT96 is not ordered"),
        pytest.param([[pickup(b"\xff" * 8, b"\xff" * 7 + b"\x7f")]], False, id="bounds beyond the calendar"),
        pytest.param(
            [[pickup(micros("2009-03-01"), micros("2009-03-05"), name="Trip_Pickup_DateTime")]], True, id="2009's name"
        ),
    ],
)
def test_only_a_month_that_cannot_be_in_the_file_is_wrong(groups: list[list[Column]], wrong: bool) -> None:
    footer = Footer(rows=1, created_by="", row_groups=tuple(map(tuple, groups)), data_end=4)
    if not wrong:
        validation.require_month(footer, REQUEST)
        return
    with pytest.raises(WrongMonth, match=r"holds trips of [\d-]+ to [\d-]+, none of yellow 2024-01"):
        validation.require_month(footer, REQUEST)


@pytest.mark.shared_data
def test_every_published_file_is_of_its_own_month_and_of_no_far_one(shared_data: Path) -> None:
    undecided = []
    for file in sorted((shared_data / "tlc/trip-data").glob("*.parquet")):
        data = file.read_bytes()
        footer = parse_footer(data[-8 - footer_length(data[-8:]) : -8])
        dataset, year, month = file.name[:-8].replace("_tripdata_", "-").split("-")
        validation.require_month(footer, Request(dataset, int(year), int(month), "raw"))
        try:
            validation.require_month(footer, Request(dataset, 2030, 1, "raw"))
            undecided.append(file.name)
        except WrongMonth:
            pass
    # Published without statistics.
    assert undecided == ["green_tripdata_2023-02.parquet", "green_tripdata_2024-03.parquet"]


@pytest.mark.shared_data
@pytest.mark.parametrize("month", ["2024-04", "2024-08"])
def test_a_real_footer_without_its_data_is_refused(shared_data: Path, month: str) -> None:
    data = (shared_data / f"footers/yellow_tripdata_{month}.footer-only.parquet").read_bytes()
    with pytest.raises(NotParquet, match=r"its footer places data up to byte \d\d,\d{3},\d{3}"):
        validation.require_footer(data, size=len(data), where="x")
