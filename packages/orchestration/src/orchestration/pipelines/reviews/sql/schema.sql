-- The source as Redshift sees it, and the tables it is loaded into. Runs every day; the same again changes nothing.
--
-- External DDL cannot run inside a transaction, and CREATE EXTERNAL TABLE has no IF NOT EXISTS: the table, which is
-- an entry in the Glue catalog and holds no data, is made anew, so that its columns and partitions are always those
-- below. Statements that use :category run once for each category in pipeline.toml.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_TABLE.html

CREATE EXTERNAL SCHEMA IF NOT EXISTS amzreviews
FROM DATA CATALOG
DATABASE :catalog
IAM_ROLE default;

DROP TABLE IF EXISTS amzreviews.reviews;

-- Spectrum cuts what is longer than its column without a word, so the columns are as long as a text may be.
CREATE EXTERNAL TABLE amzreviews.reviews (
    marketplace       VARCHAR(16),
    customer_id       VARCHAR(32),
    review_id         VARCHAR(32),
    product_id        VARCHAR(32),
    product_parent    VARCHAR(32),
    product_title     VARCHAR(4096),
    star_rating       INTEGER,
    helpful_votes     INTEGER,
    total_votes       INTEGER,
    vine              VARCHAR(8),
    verified_purchase VARCHAR(8),
    review_headline   VARCHAR(4096),
    review_body       VARCHAR(65535),
    review_date       DATE,
    year              INTEGER
)
PARTITIONED BY (product_category VARCHAR(64))
STORED AS PARQUET
LOCATION :source;

ALTER TABLE amzreviews.reviews ADD IF NOT EXISTS
PARTITION (product_category = :category) LOCATION :location;

CREATE TABLE IF NOT EXISTS public.reviews (
    marketplace       VARCHAR(16),
    customer_id       VARCHAR(32),
    review_id         VARCHAR(32) NOT NULL,
    product_id        VARCHAR(32),
    product_parent    VARCHAR(32),
    product_title     VARCHAR(4096),
    product_category  VARCHAR(64),
    star_rating       INTEGER,
    helpful_votes     INTEGER,
    total_votes       INTEGER,
    vine              VARCHAR(8),
    verified_purchase VARCHAR(8),
    review_headline   VARCHAR(4096),
    review_body       VARCHAR(65535),
    review_date       DATE,
    year              INTEGER
)
DISTKEY (product_id)
SORTKEY (review_date);

CREATE TABLE IF NOT EXISTS public.reviews_audit (
    run_id        VARCHAR(128) NOT NULL,
    day           DATE         NOT NULL,
    since_year    INTEGER      NOT NULL,
    rows_read     BIGINT       NOT NULL,
    rows_deleted  BIGINT       NOT NULL,
    rows_inserted BIGINT       NOT NULL,
    loaded_at     TIMESTAMP    NOT NULL
);
