-- One month of green trips replaces itself. The parameters are the "load" object of the month's manifest, and the
-- schema that the tables are in.
--
-- The tables come first and commit by themselves: LOCK must be the first statement of the transaction, so that
-- its snapshot is taken when no other load of this table is under way. A second load of the same month then
-- waits here and finds the first one's rows to delete.

CREATE TABLE IF NOT EXISTS :"schema".green_trips (
    vendor_id           INTEGER,
    pickup_datetime     TIMESTAMP,
    dropoff_datetime    TIMESTAMP,
    passenger_count     INTEGER,
    trip_distance       DOUBLE PRECISION,
    pickup_location_id  INTEGER,
    dropoff_location_id INTEGER,
    payment_type        INTEGER,
    fare_amount         DOUBLE PRECISION,
    tip_amount          DOUBLE PRECISION,
    total_amount        DOUBLE PRECISION,
    source_month        DATE
)
DISTSTYLE EVEN
SORTKEY (source_month, pickup_datetime);

CREATE TABLE IF NOT EXISTS :"schema".load_audit (
    load_id       VARCHAR(64)  NOT NULL,
    dataset       VARCHAR(16)  NOT NULL,
    source_month  DATE         NOT NULL,
    rows_read     BIGINT       NOT NULL,
    rows_kept     BIGINT       NOT NULL,
    rows_rejected BIGINT       NOT NULL,
    manifest      VARCHAR(1024) NOT NULL,
    loaded_at     TIMESTAMP    NOT NULL
);

BEGIN;

LOCK :"schema".green_trips, :"schema".load_audit;

-- By source_month, never by pickup time: every published month holds pickups outside itself. The cast makes it a
-- comparison of dates, by which blocks are skipped, whatever type the Data API gives a parameter.
DELETE FROM :"schema".green_trips WHERE source_month = CAST(:source_month AS DATE);

COPY :"schema".green_trips (
    vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, pickup_location_id,
    dropoff_location_id, payment_type, fare_amount, tip_amount, total_amount, source_month
)
FROM :manifest
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

-- A wrong count cannot be cast to a number: the statement fails with this text, and the transaction with it.
SELECT CASE
    WHEN COUNT(*) = :rows_kept THEN COUNT(*)
    ELSE CAST('green_trips holds ' || COUNT(*) || ' rows of the month, its manifest ' || :rows_kept AS BIGINT)
END AS rows_loaded
FROM :"schema".green_trips
WHERE source_month = CAST(:source_month AS DATE);

INSERT INTO :"schema".load_audit (
    load_id, dataset, source_month, rows_read, rows_kept, rows_rejected, manifest, loaded_at
)
VALUES (
    :load_id, :dataset, CAST(:source_month AS DATE), :rows_read, :rows_kept, :rows_rejected, :manifest, GETDATE()
);

COMMIT;
