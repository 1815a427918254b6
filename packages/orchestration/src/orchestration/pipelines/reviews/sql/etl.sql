-- public.reviews becomes what the source holds of :since_year and later, in one transaction.
--
-- The source is a state, not a stream: what is new there is inserted, what has changed is replaced, and what is gone
-- is deleted, since a review that its author or the shop took back must not stay in a report. What is the same is not
-- touched, so a day without changes writes nothing but its audit row.
--
-- A category that has reviews in the table and none in the source was not delivered, unless :gone names it, as in
-- /Toys/Music/. Nothing is changed then, nor where reviews have no year: a comparison with :since_year loses them.
--
-- Reviews are compared as wholes and replaced by review_id: the published data holds some ids more than once, and
-- each of their rows is kept as often as the source has it.

BEGIN;

-- First, so that the snapshot is taken when no other run is under way.
LOCK public.reviews, public.reviews_audit;

CREATE TEMP TABLE source_reviews DISTKEY (review_id) AS
SELECT
    marketplace, customer_id, review_id, product_id, product_parent, product_title, product_category, star_rating,
    helpful_votes, total_votes, vine, verified_purchase, review_headline, review_body, review_date, year
FROM amzreviews.reviews
WHERE year >= :since_year OR year IS NULL;

-- Text cannot be cast to a number: the statement fails with this message, and the transaction with it. A file without
-- a column year has none for any of its reviews.
SELECT CASE
    WHEN COUNT(*) = 0 THEN 0
    ELSE CAST(
        LISTAGG(DISTINCT product_category, ', ') WITHIN GROUP (ORDER BY product_category)
        || ': ' || COUNT(*) || ' reviews of the source have no year; public.reviews stays as it was' AS BIGINT
    )
END AS rows_without_year
FROM source_reviews
WHERE year IS NULL;

-- A source without reviews is one that was not delivered, not one whose reviews are all gone.
SELECT CASE
    WHEN COUNT(*) > 0 THEN COUNT(*)
    ELSE CAST('the source holds ' || COUNT(*) || ' reviews of these years; public.reviews stays as it was' AS BIGINT)
END AS rows_read
FROM source_reviews;

SELECT CASE
    WHEN COUNT(*) = 0 THEN 0
    ELSE CAST(
        'no reviews of ' || LISTAGG(product_category, ', ') WITHIN GROUP (ORDER BY product_category)
        || ' are in the source, ' || SUM(reviews) || ' in public.reviews, which stays as it was; deliver them, or say'
        || ' that they are gone: elt run reviews --gone '
        || LISTAGG(product_category, ' --gone ') WITHIN GROUP (ORDER BY product_category) AS BIGINT
    )
END AS categories_missing
FROM (
    SELECT product_category, COUNT(*) AS reviews
    FROM public.reviews
    WHERE product_category NOT IN (SELECT product_category FROM source_reviews)
    GROUP BY product_category
) AS missing
WHERE STRPOS(:gone, '/' || product_category || '/') = 0;

-- Who says that a category is gone, and finds it kept, has to hear of it.
SELECT CASE
    WHEN COUNT(*) = 0 THEN 0
    ELSE CAST(
        LISTAGG(product_category, ', ') WITHIN GROUP (ORDER BY product_category)
        || ': not gone, the source holds ' || SUM(reviews) || ' reviews; public.reviews stays as it was' AS BIGINT
    )
END AS categories_kept
FROM (SELECT product_category, COUNT(*) AS reviews FROM source_reviews GROUP BY product_category) AS kept
WHERE STRPOS(:gone, '/' || product_category || '/') > 0;

CREATE TEMP TABLE changed_reviews DISTKEY (review_id) AS
SELECT DISTINCT review_id
FROM (
    SELECT 1 AS copies, source_reviews.* FROM source_reviews
    UNION ALL
    SELECT -1 AS copies, reviews.* FROM public.reviews
) AS both_sides
GROUP BY
    marketplace, customer_id, review_id, product_id, product_parent, product_title, product_category, star_rating,
    helpful_votes, total_votes, vine, verified_purchase, review_headline, review_body, review_date, year
HAVING SUM(copies) <> 0;

INSERT INTO public.reviews_audit (
    run_id, day, since_year, rows_read, rows_deleted, rows_inserted, loaded_at
)
SELECT
    CAST(:run_id AS VARCHAR(128)),
    CAST(:day AS DATE),
    :since_year,
    (SELECT COUNT(*) FROM source_reviews),
    (SELECT COUNT(*) FROM public.reviews WHERE review_id IN (SELECT review_id FROM changed_reviews)),
    (SELECT COUNT(*) FROM source_reviews WHERE review_id IN (SELECT review_id FROM changed_reviews)),
    GETDATE();

DELETE FROM public.reviews
USING changed_reviews
WHERE reviews.review_id = changed_reviews.review_id;

INSERT INTO public.reviews
SELECT source_reviews.*
FROM source_reviews
INNER JOIN changed_reviews ON source_reviews.review_id = changed_reviews.review_id;

SELECT CASE
    WHEN COUNT(*) = (SELECT COUNT(*) FROM source_reviews) THEN COUNT(*)
    ELSE CAST('public.reviews would hold ' || COUNT(*) || ' reviews, unlike its source; is a review_id NULL?' AS BIGINT)
END AS rows_loaded
FROM public.reviews;

COMMIT;
