"""The prompt of `elt sql`: history, completion of tables, columns and keywords, several lines to a statement."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer

from orchestration.cli.local import state_path
from orchestration.errors import EltError

_LEAVING = ("exit", "quit", r"\q")
_KEYWORDS = (
    *("SELECT", "DISTINCT", "FROM", "JOIN", "LEFT JOIN", "FULL JOIN", "CROSS JOIN", "ON", "USING", "WHERE", "GROUP BY"),
    *(
        "HAVING",
        "ORDER BY",
        "LIMIT",
        "UNION ALL",
        "EXCEPT",
        "INTERSECT",
        "WITH",
        "AS",
        "AND",
        "OR",
        "NOT",
        "IN",
        "IS NULL",
    ),
    *("LIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "OVER", "PARTITION BY", "EXPLAIN", "SHOW TABLES"),
    *("COUNT", "SUM", "AVG", "MIN", "MAX", "COALESCE", "CAST", "DATE_TRUNC"),
)


def repeat(run: Callable[[str], None], *, environment: str, names: Callable[[], Iterable[str]]) -> None:
    """Ask for statements and run each, until the input ends. An error is one line, and the next one is asked for.

    `names` lists what is completed beside keywords; it is called in the background, once.
    """
    from rs_query import RsQueryError

    folder = state_path("history")
    folder.mkdir(parents=True, exist_ok=True)
    completer = Names()
    threading.Thread(target=completer.learn, args=(names,), daemon=True).start()
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(folder / "sql")),
        completer=completer,
        complete_while_typing=False,
        lexer=PygmentsLexer.from_filename("statement.sql"),
        multiline=True,
        key_bindings=_enter_ends_a_statement(),
        prompt_continuation="  ",
    )
    click.echo("a statement ends with ; and Enter, Tab completes, Ctrl-D leaves", err=True)
    while True:
        try:
            text = session.prompt(f"{environment}> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text.rstrip(";").strip().lower() in _LEAVING:
            return
        try:
            if text:
                run(text)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
        except (EltError, RsQueryError) as error:
            click.echo(str(error), err=True)


def _enter_ends_a_statement() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer, text = event.current_buffer, event.current_buffer.text.strip()
        if not text or text.endswith(";") or text.lower() in _LEAVING:
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings


class Names(Completer):
    """Completes the word before the cursor by `words`, after a parenthesis and a dot too."""

    def __init__(self, words: tuple[str, ...] = ()) -> None:
        self.words = (*words, *_KEYWORDS)

    def learn(self, names: Callable[[], Iterable[str]]) -> None:
        """Ask for further words; without them keywords are completed, and the next statement says what is wrong."""
        with contextlib.suppress(Exception):
            self.words = (*names(), *_KEYWORDS)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        word = document.get_word_before_cursor(WORD=True).rpartition("(")[2].rpartition(",")[2]
        for name in self.words if word else ():
            if name.lower().startswith(word.lower()):
                yield Completion(name.lower() if word.islower() else name, start_position=-len(word))
