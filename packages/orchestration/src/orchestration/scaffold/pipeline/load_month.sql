-- A row for each month, replaced when the month is run again: replace this by what the pipeline is for.
CREATE TABLE IF NOT EXISTS public.@folder@ (
    trips        BIGINT,
    source_month DATE
);

BEGIN;

LOCK public.@folder@;

DELETE FROM public.@folder@ WHERE source_month = :month;

INSERT INTO public.@folder@ (trips, source_month)
SELECT COUNT(*), source_month
FROM public.yellow_trips
WHERE source_month = :month
GROUP BY source_month;

COMMIT;
