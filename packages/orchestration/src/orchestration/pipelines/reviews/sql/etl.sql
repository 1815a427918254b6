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

-- A file without a column year has none for any of its reviews.
-- @expect no rows: {categories}: {reviews} reviews of the source have no year; public.reviews stays as it was
SELECT
    LISTAGG(DISTINCT product_category, ', ') WITHIN GROUP (ORDER BY product_category) AS categories,
    COUNT(*) AS reviews
FROM source_reviews
WHERE year IS NULL
HAVING COUNT(*) > 0;

-- A source without reviews is one that was not delivered, not one whose reviews are all gone.
-- @expect no rows: the source holds {reviews} reviews of these years; public.reviews stays as it was
SELECT COUNT(*) AS reviews FROM source_reviews HAVING COUNT(*) = 0;

-- @expect no rows: no reviews of {categories} are in the source, {reviews} in public.reviews, which stays as it was; deliver them, or say that they are gone: elt run reviews --gone {gone}
SELECT
    LISTAGG(product_category, ', ') WITHIN GROUP (ORDER BY product_category) AS categories,
    SUM(reviews) AS reviews,
    LISTAGG(product_category, ' --gone ') WITHIN GROUP (ORDER BY product_category) AS gone
FROM (
    SELECT product_category, COUNT(*) AS reviews
    FROM public.reviews
    WHERE product_category NOT IN (SELECT product_category FROM source_reviews)
    GROUP BY product_category
) AS missing
WHERE STRPOS(:gone, '/' || product_category || '/') = 0
HAVING COUNT(*) > 0;

-- Who says that a category is gone, and finds it kept, has to hear of it.
-- @expect no rows: {categories}: not gone, the source holds {reviews} reviews; public.reviews stays as it was
SELECT
    LISTAGG(product_category, ', ') WITHIN GROUP (ORDER BY product_category) AS categories,
    SUM(reviews) AS reviews
FROM (SELECT product_category, COUNT(*) AS reviews FROM source_reviews GROUP BY product_category) AS kept
WHERE STRPOS(:gone, '/' || product_category || '/') > 0
HAVING COUNT(*) > 0;

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

-- @expect no rows: public.reviews would hold {held} reviews, and its source {read}; is a review_id NULL?
SELECT loaded.reviews AS held, source.reviews AS read
FROM (SELECT COUNT(*) AS reviews FROM public.reviews) AS loaded
CROSS JOIN (SELECT COUNT(*) AS reviews FROM source_reviews) AS source
WHERE loaded.reviews <> source.reviews;

COMMIT;
