-- One month of trips replaces itself. The parameters are the "load" object of the month's manifest, and the schema
-- that the tables are in. A release has this file for each dataset, with its table and columns filled in.
--
-- COPY reads S3 into a table of this session alone: however long that takes, nobody waits for it. The transaction that
-- replaces the month is short, and LOCK its first statement, so that its snapshot is taken when no other load of this
-- table is under way: a second load of the same month waits here, and then finds the first one's rows to delete.

CREATE TABLE IF NOT EXISTS :"schema".${Table} (
    ${Columns}
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

CREATE TEMP TABLE copied (LIKE :"schema".${Table});

COPY copied (
    ${ColumnNames}
)
FROM :manifest
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

-- @expect no rows: {copied} rows were copied for ${Table}, and the month's manifest has {kept}
SELECT COUNT(*) AS copied, :rows_kept AS kept FROM copied HAVING COUNT(*) <> :rows_kept;

BEGIN;

LOCK :"schema".${Table};

-- By source_month, never by pickup time: every published month holds pickups outside itself. The cast makes it a
-- comparison of dates, by which blocks are skipped, whatever type the Data API gives a parameter.
DELETE FROM :"schema".${Table} WHERE source_month = CAST(:source_month AS DATE);

INSERT INTO :"schema".${Table} SELECT * FROM copied;

-- @expect no rows: ${Table} holds {held} rows of the month, and its manifest has {kept}
SELECT COUNT(*) AS held, :rows_kept AS kept
FROM :"schema".${Table}
WHERE source_month = CAST(:source_month AS DATE)
HAVING COUNT(*) <> :rows_kept;

INSERT INTO :"schema".load_audit (
    load_id, dataset, source_month, rows_read, rows_kept, rows_rejected, manifest, loaded_at
)
VALUES (
    :load_id, :dataset, CAST(:source_month AS DATE), :rows_read, :rows_kept, :rows_rejected, :manifest, GETDATE()
);

COMMIT;
