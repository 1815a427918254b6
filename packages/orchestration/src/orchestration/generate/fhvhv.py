"""A month of high-volume for-hire trips (Uber, Lyft) that looks like TLC's, and is the same for the same seed.

Columns are those of TLC's data dictionary
(https://www.nyc.gov/assets/tlc/downloads/pdf/data_dictionary_trip_records_hvfhs.pdf), types those of the files since
2023; `cbd_congestion_fee` is there since 2025. What is seen in published months is here too: Lyft names no originating
base and no time on the scene, Uber answers a blank for Access-A-Ride, a few fares are zero or refunds, a few trips have
no miles.
"""

from __future__ import annotations

from pathlib import Path

from orchestration.generate.writing import write_month
from orchestration.pipelines import Month

_CBD_FEE_SINCE = 2025

# Row groups as in yellow.py, for the same reason.
_SQL = """
COPY (
  WITH
  uniform AS (
    SELECT i, {u1} AS u1, {u2} AS u2, {u3} AS u3, {u4} AS u4, {u5} AS u5, {u6} AS u6
    FROM range({rows}) AS rows(i)
  ),
  drawn AS (
    SELECT *,
      u1 < 0.74 AS uber,
      u4 < 0.0004 OR i = 11 AS refund,  -- a small month has its dirt too
      u4 > 0.99999 OR i = 7 AS stray,
      u4 BETWEEN 0.5 AND 0.5008 OR i = 13 AS not_moved,
      u5 BETWEEN 0.45 AND 0.53 AS at_airport,
      exp(0.9 + 0.85 * sqrt(-2 * ln(u2)) * cos(2 * pi() * u3)) AS miles,
      'B0' || (2764 + CAST(floor(u6 * 30) AS INTEGER)) AS uber_base
    FROM uniform
  ),
  trips AS (
    SELECT *,
      CASE
        WHEN stray THEN {month_start} - to_seconds(90000 + CAST(u2 * 80000 AS BIGINT))
        ELSE {month_start} + to_seconds(CAST(floor(u2 * 86028157) AS BIGINT) % ({days} * 86400))
      END AS pickup,
      CASE WHEN not_moved THEN 0 ELSE round(least(miles, 90), CASE WHEN uber THEN 2 ELSE 3 END) END AS distance,
      CASE WHEN refund THEN -1 ELSE 1 END AS sign
    FROM drawn
  ),
  timed AS (
    SELECT *, 120 + CAST(distance * (170 + 160 * u1) AS BIGINT) AS seconds FROM trips
  ),
  priced AS (
    SELECT *,
      sign * round(6 + 2.1 * distance + 0.008 * seconds * (0.8 + 0.6 * u5), 2) AS fare,
      CASE WHEN u5 > 0.93 THEN 6.94 ELSE 0.0 END AS tolls
    FROM timed
  )
  SELECT
    CASE WHEN uber THEN 'HV0003' ELSE 'HV0005' END AS "hvfhs_license_num",
    CASE WHEN uber THEN uber_base ELSE 'B02510' END AS "dispatching_base_num",
    CASE WHEN uber THEN uber_base END AS "originating_base_num",
    pickup - to_seconds(60 + CAST(u6 * 700 AS BIGINT)) AS "request_datetime",
    CASE WHEN uber THEN pickup - to_seconds(CAST(u3 * 180 AS BIGINT)) END AS "on_scene_datetime",
    pickup AS "pickup_datetime",
    pickup + to_seconds(seconds) AS "dropoff_datetime",
    CAST(1 + floor(265 * (0.5 * u2 + 0.5 * u5)) AS INTEGER) AS "PULocationID",
    CAST(1 + floor(265 * (0.5 * u3 + 0.5 * u1)) AS INTEGER) AS "DOLocationID",
    CAST(distance AS DOUBLE) AS "trip_miles",
    seconds AS "trip_time",
    CAST(fare AS DOUBLE) AS "base_passenger_fare",
    CAST(tolls AS DOUBLE) AS "tolls",
    CAST(round((fare + tolls) * 0.0275, 2) AS DOUBLE) AS "bcf",
    CAST(round((fare + tolls) * 0.08875, 2) AS DOUBLE) AS "sales_tax",
    CAST(CASE WHEN u6 < 0.4 THEN 2.75 WHEN u6 < 0.42 THEN 0.75 ELSE 0 END AS DOUBLE) AS "congestion_surcharge",
    CAST(CASE WHEN at_airport THEN 2.5 ELSE 0 END AS DOUBLE) AS "airport_fee",
    CAST(CASE WHEN u3 > 0.82 THEN round(fare * (0.08 + 0.2 * u6), 2) ELSE 0 END AS DOUBLE) AS "tips",
    CAST(round(fare * (0.65 + 0.2 * u3), 2) AS DOUBLE) AS "driver_pay",
    CASE WHEN u5 < 0.02 THEN 'Y' ELSE 'N' END AS "shared_request_flag",
    CASE WHEN u5 < 0.008 THEN 'Y' ELSE 'N' END AS "shared_match_flag",
    CASE WHEN uber THEN ' ' ELSE 'N' END AS "access_a_ride_flag",
    CASE WHEN u6 > 0.997 THEN 'Y' ELSE 'N' END AS "wav_request_flag",
    CASE WHEN u6 > 0.93 THEN 'Y' ELSE 'N' END AS "wav_match_flag"{cbd_congestion_fee}
  FROM priced
) TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)
"""

_CBD_FEE = """,
    CAST(CASE WHEN u6 < 0.38 THEN 1.5 ELSE 0 END AS DOUBLE) AS "cbd_congestion_fee\""""


def fhvhv_month(folder: Path, *, month: Month, rows: int, seed: int = 0) -> Path:
    """Write one month of `rows` trips under TLC's own file name and return the file.

    The file appears only when it is whole. The same month, rows and seed give the same rows.
    """
    fee = _CBD_FEE if month.year >= _CBD_FEE_SINCE else ""
    return write_month(folder, _SQL, dataset="fhvhv", month=month, rows=rows, seed=seed, cbd_congestion_fee=fee)
