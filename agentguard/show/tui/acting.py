"""What the dashboard does for a person: marks, rules, reports, copies; one undo for all of it.

Everything that writes runs in a thread: another process may hold the database.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual import on
from textual.app import App

from agentguard.errors import AgentGuardError
from agentguard.record.reader import Mark
from agentguard.show.policy_view import ProposedRule
from agentguard.show.tui.actions import Undo
from agentguard.show.tui.copy_screen import CopyScreen
from agentguard.show.tui.expect_screen import ExpectScreen
from agentguard.show.tui.messages import CopyWanted, ExpectWanted, RotateWanted, SeenWanted, TextWanted, UndoWanted
from agentguard.show.tui.page import Desk
from agentguard.show.tui.rotate_screen import RotateScreen
from agentguard.show.tui.words import clean

MOST_UNDONE = 50
"""Steps that can be taken back."""


class ActingApp(App[None]):
    """An app whose pages ask for what they want done by messages."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._undo: list[tuple[str, Undo]] = []
        """What to say of a step, and how it is taken back; the last one last."""

    def acted(self) -> None:
        """Something was done: let the page on the screen look again."""
        raise NotImplementedError

    # Marks

    @on(SeenWanted)
    def _seen(self, message: SeenWanted) -> None:
        event = message.event

        def work() -> tuple[str, Undo]:
            reader = self.desk.reader()
            try:
                known = reader.marked(event.finding.uid)
            finally:
                reader.close()
            is_seen = known is not None and known.mark is Mark.SEEN
            undo = self.desk.actions.mark_seen(event, not is_seen)
            return (
                "Not seen after all: n stops at it again." if is_seen else "Seen: n passes it by. u takes that back.",
                undo,
            )

        self._do(work)

    @on(RotateWanted)
    def _rotate(self, message: RotateWanted) -> None:
        reader = self.desk.reader()
        try:
            one = reader.credential(message.fingerprint)
        except AgentGuardError as error:
            self._say_failure(error)
            return
        finally:
            reader.close()
        if one is None:
            self.notify("This credential is in no inventory yet.", severity="warning", timeout=4)
            return
        is_rotated = one.rotated_ns is None

        def answered(yes: bool | None) -> None:
            if yes:
                said = (
                    "Marked as rotated: any use of its old value is told from now on. u takes that back."
                    if is_rotated
                    else "Not rotated after all: it is on the worklist again."
                )
                self._do(lambda: (said, self.desk.actions.mark_rotated(one.fingerprint, is_rotated)))

        self.push_screen(RotateScreen(one, is_rotated), answered)

    @on(ExpectWanted)
    def _expect(self, message: ExpectWanted) -> None:
        event = message.event

        def answered(proposed: ProposedRule | None) -> None:
            if proposed is not None:
                said = f"{proposed.name} is written: the next session expects this. u takes it out again."
                self._do(lambda: (said, self.desk.actions.expect(event, proposed)))

        self.push_screen(ExpectScreen(event, self.desk), answered)

    @on(UndoWanted)
    def _undone(self) -> None:
        if not self._undo:
            self.notify("Nothing to take back.", timeout=3)
            return
        _, undo = self._undo.pop()

        def work() -> tuple[str, None]:
            undo()
            return "Taken back.", None

        self._do(work)

    # Copies and reports

    @on(CopyWanted)
    def _copy(self, message: CopyWanted) -> None:
        def answered(chosen: tuple[str, str] | None) -> None:
            if chosen is not None:
                self.put_into_clipboard(*chosen)

        self.push_screen(CopyScreen(message.event), answered)

    @on(TextWanted)
    def _text_wanted(self, message: TextWanted) -> None:
        self.put_into_clipboard(message.name, message.text)

    def put_into_clipboard(self, name: str, text: str) -> None:
        """By the terminal (OSC 52), and by the desktop or tmux where there is one: not every terminal listens."""
        self.copy_to_clipboard(text)

        def work() -> tuple[str, None]:
            sure = self.desk.actions.copy(text)
            first = clean(text.partition("\n")[0][:200])
            hint = "" if sure else "\nThe terminal was asked; if it does not allow it, take it from here."
            return f"{name} is in the clipboard.\n{first}{hint}", None

        self._do(work)

    def write_report(self, uid: str) -> None:
        """Write a session's report, and open it where someone can see it."""

        def work() -> tuple[str, None]:
            path: Path = self.desk.actions.write_report(uid)
            opened = self.desk.actions.open_file(path)
            return f"{clean(str(path))}\n{'opened' if opened else 'open it in a browser'}", None

        self._do(work)

    # How

    def _do(self, work: Callable[[], tuple[str, Undo | None]]) -> None:
        """In a thread; then say what was done, keep how to take it back, and look again."""

        def run() -> None:
            try:
                said, undo = work()
            except AgentGuardError as error:
                self.call_from_thread(self._say_failure, error)
                return
            self.call_from_thread(self._done, said, undo)

        self.run_worker(run, thread=True, group="acting")

    def _done(self, said: str, undo: Undo | None) -> None:
        if undo is not None:
            self._undo = [*self._undo[-MOST_UNDONE:], (said, undo)]
        self.notify(said, markup=False, timeout=5)
        self.acted()

    def _say_failure(self, error: AgentGuardError) -> None:
        self.notify(clean(str(error)), severity="error", markup=False, timeout=8)
