"""The page of an execution. Plain HTML: no script runs in it, and every value is escaped."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from orchestration import webpage
from orchestration.executions import Execution, StateRun, seconds_between
from orchestration.pipelines import all_pipelines
from orchestration.report.events import Event
from orchestration.trips.drift import explain

_STYLE = Path(__file__).parent / "report.css"
#: So many lines of a job's log are shown, from its beginning and from its end.
_FIRST, _LAST = 200, 800


def html(execution: Execution, logged: Sequence[Event], *, link: str | None = None) -> str:
    """Return the page; `logged` is in the order of time."""
    title = _text(execution.name)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(webpage.policy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{webpage.style(_STYLE)}</style>
</head>
<body>
<header class="masthead">
<div><h1>{title}</h1><p class="muted">{_subtitle(execution)}</p></div>
<span class="status {_text(execution.status.lower())}">{_text(execution.status)}</span>
</header>
<main>
{_failure(execution)}
{_timeline(execution)}
{"".join(_render_rules(event) for event in logged if "rejected" in event.fields)}
{_render_drift(logged)}
{_render_warnings(logged)}
{_render_logs(execution, logged)}
{_panel("Input", _facts(execution.input))}
</main>
<footer class="muted"><p>{_text(execution.arn)}</p>{_link(link)}</footer>
</body>
</html>
"""


def _subtitle(execution: Execution) -> str:
    what = execution.month or execution.day
    started = f"started {_moment(execution.started)}"
    took = f"took {_seconds(execution.seconds)}"
    return _text(", ".join(filter(None, [_pipeline(execution.machine), what, started, took])))


def _pipeline(machine: str) -> str:
    """Return `PIPELINE on ENVIRONMENT`, as stack.yaml names state machines; "" for a machine of somebody else."""
    for pipeline in all_pipelines():
        environment = machine.removeprefix("elt-").removesuffix(f"-{pipeline.name}")
        if environment and machine == f"elt-{environment}-{pipeline.name}":
            return f"{pipeline.name} on {environment}"
    return ""


def _failure(execution: Execution) -> str:
    if not (execution.error or execution.cause):
        return ""
    where = f" in {execution.failed_state}" if execution.failed_state else ""
    rerun = execution.input.get("rerun")
    again = f"<p>Try again: <code>{_text(rerun)}</code></p>" if rerun else ""
    cause = f"<pre>{_text(execution.cause or '')}</pre>"
    return _panel(f"{execution.error or 'It failed'}{where}", cause + again, kind="failure")


def _timeline(execution: Execution) -> str:
    """Return a bar a state, from when it began, on the scale of the whole execution."""
    whole = max(execution.seconds, 0.001)

    def row(state: StateRun) -> list[str]:
        before = seconds_between(execution.started, state.started)
        left, width = (f"{min(100, 100 * part / whole):.2f}%" for part in (before, state.seconds))
        bar = f'<i class="{state.status.lower()}" style="left: {left}; width: {width}"></i>'
        return [
            _text(state.name),
            f'<div class="span">{bar}</div>',
            f"+{before:.1f} s",
            _seconds(state.seconds),
            state.status.lower(),
        ]

    rows = [row(state) for state in execution.states]
    return _panel("States", _table(["State", "when", "#began", "#took", "ended"], rows, kind="timeline"))


def _render_rules(event: Event) -> str:
    """Rows read, kept and rejected, and by which rule."""
    read, kept, rules = event.fields.get("rows", 0), event.fields.get("kept", 0), event.fields["rejected"]
    rejected = sum(rules.values())
    figures = "".join(
        f"<div><dt>{name}</dt><dd>{rows:,}</dd><dd class='muted'>{note}</dd></div>"
        for name, rows, note in (
            ("Rows read", read, ""),
            ("Kept", kept, _share(kept, read)),
            ("Rejected", rejected, _share(rejected, read)),
        )
    )
    by_rule = sorted(rules.items(), key=lambda rule: (-rule[1], rule[0]))
    rows = [[_text(rule), f"{count:,}", _share(count, read)] for rule, count in by_rule]
    table = _table(["Rejected by", "#rows", "#of those read"], rows)
    return f'<dl class="figures">{figures}</dl>' + _panel("Quality rules", table)


def _render_drift(logged: Iterable[Event]) -> str:
    """Render what the file has that the dataset did not expect: once, also where a retried job logged it twice."""
    lines = dict.fromkeys(explain(one.fields) for one in logged if one.name == "drift")
    return _panel("Drift", _table([""], [[_text(line)] for line in lines])) if lines else ""


def _render_warnings(logged: Iterable[Event]) -> str:
    warnings = [one for one in logged if one.level == "warning" and one.name != "drift"]
    rows = [[_text(one.state), _text(one.name), _fields(one.fields)] for one in warnings]
    return _panel("Warnings", _table(["State", "event", "details"], rows)) if rows else ""


def _render_logs(execution: Execution, logged: Sequence[Event]) -> str:
    """Return what each job logged; that of a state that failed is open."""
    failed = {state.name for state in execution.states if state.status == "FAILED"}
    runs = {state.name: state.job_run for state in execution.states}
    order = {state.name: place for place, state in enumerate(execution.states)}
    parts = []
    for state, events in groupby(sorted(logged, key=lambda one: order.get(one.state, -1)), lambda one: one.state):
        lines = list(events)
        is_open = " open" if state in failed else ""
        count = f"{len(lines):,} line{'' if len(lines) == 1 else 's'}"
        summary = f'<summary>{_text(state)} <span class="muted">{count}, {_text(runs.get(state))}</span></summary>'
        parts.append(f"<details{is_open}>{summary}{''.join(_lines(_shorten(lines, execution.name)))}</details>")
    return _panel("What the jobs logged", "".join(parts)) if parts else ""


def _shorten(lines: list[Event], execution: str) -> list[Event]:
    """Beginning and end of what a talkative job said, so that the page stays one that opens."""
    if len(lines) <= _FIRST + _LAST:
        return lines
    text = f"… {len(lines) - _FIRST - _LAST:,} lines left out; elt logs {execution} has them …"
    gap = replace(lines[_FIRST], name="", level="info", fields={"text": text})
    return [*lines[:_FIRST], gap, *lines[-_LAST:]]


def _lines(events: Sequence[Event]) -> Iterable[str]:
    """Events as tables, with the text between them as it was."""
    for is_text, group in groupby(events, lambda one: not one.name):
        if is_text:
            yield f"<pre>{_text(chr(10).join(one.fields['text'] for one in group))}</pre>"
        else:
            rows = [
                [f"{one.at:%H:%M:%S}.{one.at.microsecond // 1000:03}", _text(one.name), _fields(one.fields, one.level)]
                for one in group
            ]
            yield _table(["at", "event", "details"], rows, kind="events")


def _fields(fields: Mapping[str, Any], level: str = "info") -> str:
    shown = "".join(f"<span><b>{_text(name)}</b> {_value(value)}</span> " for name, value in fields.items())
    return f'<div class="fields {_text(level)}">{shown}</div>'


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return f"{value:,}"
    return _text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _facts(facts: Mapping[str, Any]) -> str:
    return _table(["", ""], [[_text(name), _value(value)] for name, value in facts.items()], kind="facts")


def _panel(title: str, content: str, *, kind: str = "") -> str:
    return f'<section class="panel {kind}"><div class="head"><h2>{_text(title)}</h2></div>{content}</section>'


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    """Cells are HTML. A column whose title begins with # holds numbers."""
    classes = [' class="number"' if title.startswith("#") else "" for title in columns]
    titles = zip(columns, classes, strict=True)
    head = "".join(f'<th scope="col"{css}>{_text(title.removeprefix("#"))}</th>' for title, css in titles)
    body = "".join(
        f"<tr>{''.join(f'<td{css}>{cell}</td>' for cell, css in zip(row, classes, strict=True))}</tr>" for row in rows
    )
    header = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    return f'<table class="{kind}">{header}<tbody>{body}</tbody></table>'


def _link(link: str | None) -> str:
    return f'<p><a href="{escape(link)}" rel="noreferrer">Open in the console</a></p>' if link else ""


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else ""


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds < 120 else str(datetime.timedelta(seconds=round(seconds)))


def _moment(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _text(value: object) -> str:
    return escape(str(value))
