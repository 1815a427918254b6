"""Raw files of every era, made from one list of trips, and what a transform must make of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]


@dataclass(frozen=True)
class Trip:
    """A trip as the table would hold it, and the rule that rejects it (None: kept). `pickup` is relative."""

    pickup: dt.timedelta | None
    vendor: int = 2
    passengers: int | None = 1
    distance: float | None = 1.5
    payment: int = 1
    fare: float | None = 10.0
    tip: float = 0.25
    total: float | None = 12.5
    rule: str | None = None


DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)

#: One trip for each thing that can be the matter, and for each side of each limit.
TRIPS: Sequence[Trip] = (
    Trip(pickup=dt.timedelta(0)),
    Trip(pickup=11 * DAY + 7 * SECOND, vendor=1, passengers=None, payment=2, fare=3.3, tip=0.0, total=4.1),
    Trip(pickup=2 * DAY, payment=3, distance=0.01, fare=0.01, total=0.01),
    Trip(pickup=-DAY, payment=4),
    Trip(pickup=-DAY - SECOND, rule="pickup_outside_month"),
    Trip(pickup=-4000 * DAY, rule="pickup_outside_month"),
    Trip(pickup=None, rule="pickup_missing"),
    Trip(pickup=None, distance=-1.0, fare=-1.0, total=-1.0, rule="pickup_missing"),
    Trip(pickup=3 * DAY, distance=0.0, rule="trip_distance_not_positive"),
    Trip(pickup=3 * DAY, distance=None, fare=None, total=None, rule="trip_distance_not_positive"),
    Trip(pickup=3 * DAY, distance=-2.0, rule="trip_distance_not_positive"),
    Trip(pickup=4 * DAY, fare=0.0, rule="fare_amount_not_positive"),
    Trip(pickup=4 * DAY, fare=-52.0, total=-55.3, rule="fare_amount_not_positive"),
    Trip(pickup=4 * DAY, fare=None, rule="fare_amount_not_positive"),
    Trip(pickup=5 * DAY, total=0.0, rule="total_amount_not_positive"),
    Trip(pickup=5 * DAY, total=-0.5, rule="total_amount_not_positive"),
    Trip(pickup=5 * DAY, total=None, rule="total_amount_not_positive"),
)


def end_of_month_trips(month: dt.date) -> list[Trip]:
    """The two sides of the month's late limit."""
    following = (month + dt.timedelta(days=32)).replace(day=1)
    length = following - month
    return [
        Trip(pickup=length + DAY - SECOND),
        Trip(pickup=length + DAY, rule="pickup_outside_month"),
    ]


@dataclass(frozen=True)
class Era:
    """A published shape: for each column of the file its SQL type and what it says of a trip (a key, or a value)."""

    name: str
    dataset: str
    month: dt.date
    columns: Sequence[tuple[str, str, str]]
    codes: Mapping[str, Mapping[int, str]]

    @property
    def located(self) -> bool:
        return any(meaning == "pickup_location" for *_, meaning in self.columns)


ColumnLines = list[tuple[str, str, str]]


def columns(text: str) -> ColumnLines:
    """Read lines of `name type meaning`. A column without a meaning is one that no transform looks at."""
    words = (line.split() for line in text.strip().splitlines())
    return [(name, type_, *(meaning or [""])) for name, type_, *meaning in words]


def era(name: str, dataset: str, month: str, shape: ColumnLines, **codes: Mapping[int, str]) -> Era:
    return Era(name, dataset, dt.date.fromisoformat(month), shape, codes)


_AMOUNTS = """
    fare_amount DOUBLE fare
    extra DOUBLE
    mta_tax DOUBLE
    tip_amount DOUBLE tip
    tolls_amount DOUBLE
    improvement_surcharge DOUBLE
    total_amount DOUBLE total
"""


def _yellow_2016(integers: str, counts: str, *more: str, time: str = "TIMESTAMP") -> ColumnLines:
    first = f"""
        VendorID {integers} vendor
        tpep_pickup_datetime {time} pickup
        tpep_dropoff_datetime {time} dropoff
        passenger_count {counts} passengers
        trip_distance DOUBLE distance
        RatecodeID {counts}
        store_and_fwd_flag VARCHAR
        PULocationID {integers} pickup_location
        DOLocationID {integers} dropoff_location
        payment_type BIGINT payment
    """
    return [*columns(first), *columns(_AMOUNTS), *((name, "DOUBLE", "") for name in more)]


def _green_2016(integers: str, counts: str, *more: str) -> ColumnLines:
    first = f"""
        VendorID {integers} vendor
        lpep_pickup_datetime TIMESTAMP pickup
        lpep_dropoff_datetime TIMESTAMP dropoff
        store_and_fwd_flag VARCHAR
        RatecodeID {counts}
        PULocationID {integers} pickup_location
        DOLocationID {integers} dropoff_location
        passenger_count {counts} passengers
        trip_distance DOUBLE distance
    """
    last = [("payment_type", counts, "payment"), ("trip_type", counts, "")]
    return [*columns(first), *columns(_AMOUNTS), *last, *((name, "DOUBLE", "") for name in more)]


_GREEN_2013 = columns("""
    VendorID BIGINT vendor
    lpep_pickup_datetime VARCHAR pickup
    Lpep_dropoff_datetime VARCHAR dropoff
    Store_and_fwd_flag VARCHAR
    RateCodeID BIGINT
    Pickup_longitude DOUBLE
    Pickup_latitude DOUBLE
    Dropoff_longitude DOUBLE
    Dropoff_latitude DOUBLE
    Passenger_count BIGINT passengers
    Trip_distance DOUBLE distance
    Fare_amount DOUBLE fare
    Extra DOUBLE
    MTA_tax DOUBLE
    Tip_amount DOUBLE tip
    Tolls_amount DOUBLE
    Ehail_fee DOUBLE
    Total_amount DOUBLE total
    Payment_type BIGINT payment
    Trip_type BIGINT
""")

_2009 = columns("""
    vendor_name VARCHAR vendor
    Trip_Pickup_DateTime VARCHAR pickup
    Trip_Dropoff_DateTime VARCHAR dropoff
    Passenger_Count BIGINT passengers
    Trip_Distance DOUBLE distance
    Start_Lon DOUBLE
    Start_Lat DOUBLE
    Rate_Code DOUBLE
    store_and_forward DOUBLE
    End_Lon DOUBLE
    End_Lat DOUBLE
    Payment_Type VARCHAR payment
    Fare_Amt DOUBLE fare
    surcharge DOUBLE
    mta_tax DOUBLE
    Tip_Amt DOUBLE tip
    Tolls_Amt DOUBLE
    Total_Amt DOUBLE total
""")

_2010 = columns("""
    vendor_id VARCHAR vendor
    pickup_datetime VARCHAR pickup
    dropoff_datetime VARCHAR dropoff
    passenger_count BIGINT passengers
    trip_distance DOUBLE distance
    pickup_longitude DOUBLE
    pickup_latitude DOUBLE
    rate_code VARCHAR
    store_and_fwd_flag VARCHAR
    dropoff_longitude DOUBLE
    dropoff_latitude DOUBLE
    payment_type VARCHAR payment
    fare_amount DOUBLE fare
    surcharge DOUBLE
    mta_tax DOUBLE
    tip_amount DOUBLE tip
    tolls_amount DOUBLE
    total_amount DOUBLE total
""")


def _yellow_2015(rate_code: str, time: str) -> ColumnLines:
    first = f"""
        VendorID BIGINT vendor
        tpep_pickup_datetime {time} pickup
        tpep_dropoff_datetime {time} dropoff
        passenger_count BIGINT passengers
        trip_distance DOUBLE distance
        pickup_longitude DOUBLE
        pickup_latitude DOUBLE
        {rate_code} BIGINT
        store_and_fwd_flag VARCHAR
        dropoff_longitude DOUBLE
        dropoff_latitude DOUBLE
        payment_type BIGINT payment
    """
    return [*columns(first), *columns(_AMOUNTS)]


def _renamed(shape: ColumnLines, rename: Callable[[str], str]) -> ColumnLines:
    return [(rename(name), type_, meaning) for name, type_, meaning in shape]


def _retyped(shape: ColumnLines, retype: Mapping[str, str]) -> ColumnLines:
    return [(name, retype.get(type_, type_), meaning) for name, type_, meaning in shape]


_VENDORS = {1: "CMT", 2: "VTS"}

_NOW = _yellow_2016("INTEGER", "BIGINT")
_TEXT = {"INTEGER": "VARCHAR", "BIGINT": "VARCHAR", "DOUBLE": "VARCHAR", "TIMESTAMP": "VARCHAR"}

ERAS: Sequence[Era] = (
    era(
        "yellow 2009",
        "yellow",
        "2009-01-01",
        _2009,
        vendor=_VENDORS,
        payment={1: "Credit", 2: "CASH", 3: "No Charge", 4: "Dispute"},
    ),
    era(
        "yellow 2010",
        "yellow",
        "2010-03-01",
        _2010,
        vendor=_VENDORS,
        payment={1: "Cre", 2: "Cas", 3: "No ", 4: "Dis"},
    ),
    era(
        "yellow 2012",
        "yellow",
        "2012-06-01",
        _2010,
        vendor=_VENDORS,
        payment={1: "CRD", 2: "CSH", 3: "NOC", 4: "DIS"},
    ),
    era(
        "yellow 2014, a space before each name",
        "yellow",
        "2014-05-01",
        _renamed(_2010, " {}".format),
        vendor=_VENDORS,
        payment={1: "crd", 2: "csh", 3: "noc", 4: "dis"},
    ),
    era("yellow 2015", "yellow", "2015-06-01", _yellow_2015("RateCodeID", "VARCHAR")),
    era("yellow 2016", "yellow", "2016-03-01", _yellow_2015("RatecodeID", "TIMESTAMP")),
    era("yellow 2016-07", "yellow", "2016-09-01", _yellow_2016("BIGINT", "BIGINT", time="VARCHAR")),
    era("yellow 2019", "yellow", "2019-06-01", _yellow_2016("BIGINT", "BIGINT", "congestion_surcharge")),
    era("yellow 2021", "yellow", "2021-02-01", _yellow_2016("BIGINT", "DOUBLE", "congestion_surcharge", "airport_fee")),
    era(
        "yellow 2023-02",
        "yellow",
        "2023-02-01",
        _yellow_2016("INTEGER", "BIGINT", "congestion_surcharge", "Airport_fee"),
    ),
    era(
        "yellow 2025",
        "yellow",
        "2025-01-01",
        _yellow_2016("INTEGER", "BIGINT", "congestion_surcharge", "Airport_fee", "cbd_congestion_fee"),
    ),
    era("green 2013", "green", "2014-01-01", _GREEN_2013),
    era("green 2016-07", "green", "2017-01-01", _green_2016("BIGINT", "BIGINT", "ehail_fee")),
    era("green 2021", "green", "2021-01-01", _green_2016("BIGINT", "DOUBLE", "ehail_fee", "congestion_surcharge")),
    era("green 2023-02", "green", "2023-02-01", _green_2016("INTEGER", "BIGINT", "ehail_fee", "congestion_surcharge")),
    era(
        "green 2025",
        "green",
        "2025-01-01",
        _green_2016("INTEGER", "BIGINT", "ehail_fee", "congestion_surcharge", "cbd_congestion_fee"),
    ),
    era("nanoseconds", "yellow", "2024-02-01", _retyped(_NOW, {"TIMESTAMP": "TIMESTAMP_NS"})),
    era("milliseconds", "yellow", "2024-02-01", _retyped(_NOW, {"TIMESTAMP": "TIMESTAMP_MS"})),
    era("zoned timestamps", "yellow", "2024-02-01", _retyped(_NOW, {"TIMESTAMP": "TIMESTAMPTZ"})),
    era("all text", "yellow", "2024-02-01", _retyped(_NOW, _TEXT)),
    era("small numbers", "yellow", "2024-02-01", _retyped(_NOW, {"INTEGER": "SMALLINT", "BIGINT": "FLOAT"})),
    era("decimals", "yellow", "2024-02-01", _retyped(_NOW, {"DOUBLE": "DECIMAL(18,4)", "BIGINT": "DECIMAL(9,0)"})),
    era("an index column", "yellow", "2024-02-01", [*_NOW, ("__index_level_0__", "BIGINT", "")]),
    era("capitals and spaces", "yellow", "2024-02-01", _renamed(_NOW, lambda n: f" {n.upper().replace('_', ' ')} ")),
)


def trips_of(shape: Era) -> list[Trip]:
    return [*TRIPS, *end_of_month_trips(shape.month)]


def _meanings(trip: Trip, shape: Era, number: int) -> dict[str, Any]:
    start = dt.datetime.combine(shape.month, dt.time())
    pickup = None if trip.pickup is None else start + trip.pickup
    return {
        "vendor": trip.vendor,
        "pickup": pickup,
        "dropoff": start + dt.timedelta(minutes=number),
        "passengers": trip.passengers,
        "distance": trip.distance,
        "pickup_location": 100 + number,
        "dropoff_location": 200 + number,
        "payment": trip.payment,
        "fare": trip.fare,
        "tip": trip.tip,
        "total": trip.total,
    }


def write_raw(shape: Era, file: Path) -> None:
    """Write the trips as a raw file of that shape."""
    rows = []
    for number, trip in enumerate(trips_of(shape)):
        said = _meanings(trip, shape, number)
        values = []
        for _name, type_, meaning in shape.columns:
            value = said[meaning] if meaning else None
            if meaning in shape.codes and value is not None:
                value = shape.codes[meaning][value]
            values.append(_literal(value if meaning or number % 2 else _filler(type_), type_))
        rows.append(f"({', '.join(values)})")
    names = ", ".join('"' + name + '"' for name, *_ in shape.columns)
    write_parquet(f"SELECT * FROM (VALUES {', '.join(rows)}) AS trips({names})", file)


def _filler(type_: str) -> Any:
    return "N" if type_ == "VARCHAR" else 1


def _literal(value: Any, type_: str) -> str:
    if type_ == "TIMESTAMPTZ" and value is not None:
        return f"CAST('{value}+00' AS TIMESTAMPTZ)"
    return f"CAST({'NULL' if value is None else repr(str(value))} AS {type_})"


def write_parquet(query: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")


def kept_rows(shape: Era) -> list[tuple[Any, ...]]:
    """The rows the table must get, in the order of its columns, sorted."""
    kept = []
    for number, trip in enumerate(trips_of(shape)):
        said = _meanings(trip, shape, number)
        if trip.rule is None:
            places = (said["pickup_location"], said["dropoff_location"]) if shape.located else (None, None)
            kept.append(
                (
                    *(said[key] for key in ("vendor", "pickup", "dropoff", "passengers", "distance")),
                    *places,
                    *(said[key] for key in ("payment", "fare", "tip", "total")),
                    shape.month,
                )
            )
    return sorted(kept, key=repr)


def rejected_counts(shape: Era) -> dict[str, int]:
    """How many trips each rule must reject."""
    rules = [trip.rule for trip in trips_of(shape) if trip.rule]
    names = (
        "pickup_missing", "pickup_outside_month", "trip_distance_not_positive", "fare_amount_not_positive",
        "total_amount_not_positive",
    )  # fmt: skip
    return {name: rules.count(name) for name in names}


def read_rows(files: Sequence[Path]) -> list[tuple[Any, ...]]:
    """All rows of some Parquet files, sorted."""
    if not files:
        return []
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT * FROM read_parquet(?)", [[str(file) for file in files]]).fetchall()
    return sorted(rows, key=repr)
