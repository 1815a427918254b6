"""A month of yellow taxi trips that looks like TLC's, dirt included, and is the same for the same seed.

Schema and types are those of the files of 2024 (the footer of yellow_tripdata_2024-04.parquet). The shares of
dirt are those seen in whole published months: a handful of pickups outside the month, some of them years away,
0.1-0.4 % negative fares (a voided trip beside its refund), and rows in which the five columns a broken meter does
not send are null together.
"""

from __future__ import annotations

from pathlib import Path

from orchestration.generate.writing import write_month
from orchestration.pipelines import Month

_STRAYS_PER_MILLION = 12
_NEGATIVE_SHARE = 0.0025
_ZERO_DISTANCE_SHARE = 0.012
_BROKEN_METER_SHARE = 0.06

# Trips by hour of the day, midnight first: the shape of a Manhattan weekday.
_HOURS = (25, 17, 12, 8, 6, 7, 16, 30, 42, 45, 47, 50, 54, 56, 60, 63, 63, 68, 72, 66, 58, 57, 50, 38)

# DuckDB writes each column of a row group as one page. These row groups make pages of about 1 MB, as TLC's are; with
# TLC's own row groups, of a million rows, a reader would need memory for pages of 8 MB.
_SQL = """
COPY (
  WITH
  uniform AS (  -- six independent uniforms in (0, 1) a row
    SELECT i,
      {u1} AS u1, {u2} AS u2, {u3} AS u3, {u4} AS u4, {u5} AS u5, {u6} AS u6
    FROM range({rows}) AS rows(i)
  ),
  drawn AS (
    SELECT i, u1, u2, u3, u4, u5, u6,
      {hours}[1 + CAST(floor(u1 * {hour_count}) AS INTEGER)] AS hour,
      exp(0.55 + 0.85 * sqrt(-2 * ln(u2)) * cos(2 * pi() * u3)) AS miles,
      u4 < {negative} OR i = 11 AS voided,  -- a small month has its dirt too
      u4 > 1 - {strays} OR i = 7 AS stray,
      u5 < {broken_meter} AS broken_meter,
      u5 > 1 - {zero_distance} AS not_moved,
      u5 BETWEEN 0.45 AND 0.51 AS to_airport
    FROM uniform
  ),
  trips AS (
    SELECT *,
      CASE
        WHEN stray AND u6 < 0.3 THEN TIMESTAMP '2008-12-31 23:00:00' + to_seconds(CAST(u1 * 5000 AS BIGINT))
        WHEN stray AND u6 < 0.6 THEN {month_start} - to_seconds(60 + CAST(u2 * 80000 AS BIGINT))
        WHEN stray THEN {month_end} + to_seconds(CAST(u2 * 400000 AS BIGINT))
        ELSE {month_start} + to_days(CAST(floor(u2 * 7919 * {days}) AS INTEGER) % {days})
             + to_hours(hour) + to_seconds(CAST(floor(u3 * 86028157) AS BIGINT) % 3600)
      END AS pickup,
      CASE
        WHEN not_moved THEN 0
        WHEN to_airport THEN round(8 + 12 * u1, 2)
        ELSE round(least(miles, 60), 2)
      END AS distance,
      CASE WHEN u6 < 0.78 THEN 1 WHEN u6 < 0.96 THEN 2 WHEN u6 < 0.98 THEN 4 ELSE 3 END AS payment,
      CASE WHEN voided THEN -1 ELSE 1 END AS sign
    FROM drawn
  ),
  priced AS (
    SELECT *,
      pickup + to_seconds(120 + CAST(distance * (170 + 160 * u1) AS BIGINT)) AS dropoff,
      sign * round(3.0 + 3.5 * distance + 0.7 * floor(distance * 2.5 * u3), 1) AS fare,
      sign * CASE WHEN hour BETWEEN 16 AND 19 THEN 2.5 WHEN hour >= 20 OR hour < 6 THEN 1.0 ELSE 0.0 END AS extra,
      sign * CASE WHEN distance > 9 AND u2 > 0.4 THEN 6.94 ELSE 0.0 END AS tolls,
      sign * CASE WHEN to_airport AND u2 < 0.7 THEN 1.75 ELSE 0.0 END AS airport
    FROM trips
  ),
  tipped AS (
    SELECT *,
      CASE WHEN payment = 1 AND NOT voided THEN round(fare * (0.12 + 0.2 * u1), 2) ELSE 0.0 END AS tip
    FROM priced
  )
  SELECT
    CAST(CASE WHEN u1 < 0.24 THEN 1 WHEN u1 < 0.9996 THEN 2 ELSE 6 END AS INTEGER) AS "VendorID",
    pickup AS "tpep_pickup_datetime",
    dropoff AS "tpep_dropoff_datetime",
    CASE WHEN broken_meter THEN NULL ELSE CAST(
      [1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 0][1 + CAST(floor(u3 * 14) AS INTEGER)] AS BIGINT
    ) END AS "passenger_count",
    CAST(distance AS DOUBLE) AS "trip_distance",
    CASE WHEN broken_meter THEN NULL ELSE CAST(
      CASE WHEN distance > 15 AND u2 < 0.8 THEN 2 WHEN u6 > 0.999 THEN 99 ELSE 1 END AS BIGINT
    ) END AS "RatecodeID",
    CASE WHEN broken_meter THEN NULL WHEN u6 > 0.996 THEN 'Y' ELSE 'N' END AS "store_and_fwd_flag",
    CAST(1 + floor(265 * (0.5 * u2 + 0.5 * u5)) AS INTEGER) AS "PULocationID",
    CAST(1 + floor(265 * (0.5 * u3 + 0.5 * u1)) AS INTEGER) AS "DOLocationID",
    CAST(CASE WHEN broken_meter THEN 0 ELSE payment END AS BIGINT) AS "payment_type",
    CAST(fare AS DOUBLE) AS "fare_amount",
    CAST(extra AS DOUBLE) AS "extra",
    CAST(sign * 0.5 AS DOUBLE) AS "mta_tax",
    CAST(tip AS DOUBLE) AS "tip_amount",
    CAST(tolls AS DOUBLE) AS "tolls_amount",
    CAST(sign * 1.0 AS DOUBLE) AS "improvement_surcharge",
    CAST(round(
      fare + extra + sign * 0.5 + tip + tolls + sign * 1.0 + sign * 2.5 + airport, 2
    ) AS DOUBLE) AS "total_amount",
    CASE WHEN broken_meter THEN NULL ELSE CAST(sign * 2.5 AS DOUBLE) END AS "congestion_surcharge",
    CASE WHEN broken_meter THEN NULL ELSE CAST(airport AS DOUBLE) END AS "Airport_fee"
  FROM tipped
) TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)
"""


def yellow_month(folder: Path, *, month: Month, rows: int, seed: int = 0) -> Path:
    """Write one month of `rows` trips under TLC's own file name and return the file.

    The file appears only when it is whole. The same month, rows and seed give the same rows.
    """
    hours = [hour for hour, weight in enumerate(_HOURS) for _ in range(weight)]
    return write_month(
        folder,
        _SQL,
        dataset="yellow",
        month=month,
        rows=rows,
        seed=seed,
        hours=hours,
        hour_count=len(hours),
        strays=_STRAYS_PER_MILLION / 1_000_000,
        negative=_NEGATIVE_SHARE,
        zero_distance=_ZERO_DISTANCE_SHARE,
        broken_meter=_BROKEN_METER_SHARE,
    )
