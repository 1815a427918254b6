-- The report: every review with the rating it gave, the most helpful first, as CSV; and beside it the run's figures.
-- Parameters stand for no text inside UNLOAD's query, so what depends on them is put into temporary tables first.

-- AVG of whole numbers is a whole number in Redshift.
CREATE TEMP TABLE top_reviews AS
SELECT
    marketplace,
    product_category,
    product_title,
    review_id,
    CAST(AVG(CAST(star_rating AS DECIMAL(9, 4))) AS DECIMAL(3, 2)) AS avg_star_rating,
    helpful_votes
FROM public.reviews
GROUP BY marketplace, product_category, product_title, review_id, helpful_votes;

CREATE TEMP TABLE this_run AS
SELECT
    run_id,
    day,
    since_year,
    rows_read,
    rows_deleted,
    rows_inserted,
    (SELECT COUNT(*) FROM public.reviews) AS rows_loaded,
    (SELECT COUNT(*) FROM top_reviews) AS rows_reported,
    loaded_at
FROM public.reviews_audit
WHERE run_id = :run_id
ORDER BY loaded_at DESC  -- an execution that was redriven has loaded more than once
LIMIT 1;

-- QuickSight takes no file beyond 1 GB. The manifest names what was written, so that what an earlier and larger report
-- left behind is not read with it.
-- https://docs.aws.amazon.com/quicksight/latest/user/supported-manifest-file-format.html
UNLOAD ($$
    SELECT marketplace, product_category, product_title, review_id, avg_star_rating, helpful_votes
    FROM top_reviews
    ORDER BY helpful_votes DESC, marketplace, product_category, product_title, review_id
$$)
TO :report
IAM_ROLE default
FORMAT AS CSV
HEADER
EXTENSION 'csv'
PARALLEL OFF
MAXFILESIZE 900 MB
MANIFEST
ALLOWOVERWRITE;

UNLOAD ($$ SELECT * FROM this_run $$)
TO :run_report
IAM_ROLE default
FORMAT AS JSON
EXTENSION 'json'
PARALLEL OFF
ALLOWOVERWRITE;
