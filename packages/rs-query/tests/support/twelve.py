"""A script of 12 statements that every way to run it must run alike."""

SQL = r"""-- A day's work; in twelve statements.
CREATE TABLE IF NOT EXISTS public.notes (id INTEGER NOT NULL, note VARCHAR(200), amount DECIMAL(9, 2), day DATE);

DELETE FROM public.notes; /* start anew; /* nested; */ even when run twice; */

CREATE OR REPLACE PROCEDURE public.add_note(number INTEGER, text VARCHAR(200)) AS $body$
BEGIN
  -- two statements; one body
  INSERT INTO public.notes (id, note) VALUES (number, text);
  UPDATE public.notes SET note = note || ';' WHERE id = number; /* ; */
END;
$body$ LANGUAGE plpgsql;

CALL public.add_note(1, 'it''s; one');
CALL public.add_note(2, :hostile);

INSERT INTO public.notes VALUES (3, :hostile, :amount, :day), (4, '', NULL, NULL);
CREATE TEMP TABLE "odd;name" AS SELECT id, note FROM public.notes WHERE id IN (:ids);
INSERT INTO "odd;name" SELECT 9, ';' || count(*) FROM public.notes;
UPDATE public.notes SET amount = amount * 2 WHERE day = :day;

SELECT id, note FROM "odd;name" ORDER BY id;
SELECT * FROM :"schema".notes ORDER BY id -- the end; nearly
;
SELECT count(*) AS "count;" FROM public.notes WHERE note LIKE '%;%'"""

PARAMS = {
    "hostile": "\\'; DROP TABLE public.notes; -- \U0001f600",
    "amount": 12.5,
    "day": "2024-09-01",
    "ids": [1, 2, 3],
    "schema": "public",
}

_HOSTILE = PARAMS["hostile"]

#: What `--output json` prints of its three result sets.
ROWS = [
    {"id": 1, "note": "it's; one;"},
    {"id": 2, "note": f"{_HOSTILE};"},
    {"id": 3, "note": _HOSTILE},
    {"id": 9, "note": ";4"},
    {"id": 1, "note": "it's; one;", "amount": None, "day": None},
    {"id": 2, "note": f"{_HOSTILE};", "amount": None, "day": None},
    {"id": 3, "note": _HOSTILE, "amount": 25.0, "day": "2024-09-01"},
    {"id": 4, "note": "", "amount": None, "day": None},
    {"count;": 3},
]
