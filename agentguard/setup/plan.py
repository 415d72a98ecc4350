"""What an installation changes, and what taking it out again does: worked out first, then shown or made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentguard.setup.block import has_block, with_block, without_block
from agentguard.setup.files import (
    Change,
    FileChange,
    LinkChange,
    link_of,
    missing_folders,
    read,
    remove_empty,
    why_not_writable,
)
from agentguard.setup.program import NAME, bin_folder, found_on_path, link_words, path_folders
from agentguard.setup.receipt import Receipt, load_receipt, save_receipt
from agentguard.setup.shells import Folders, Lines, own_meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user wants."""

    home: Path
    """AgentGuard's own folder."""
    home_option: str
    folders: Folders
    environ: Mapping[str, str]
    program: Path
    """What the link on the PATH leads to."""
    shells: Sequence[str]
    aliases: Sequence[str]
    bin_dir: Path | None = None
    own_files: Mapping[Path, bytes] = field(default_factory=dict)
    """Completions and the manual page, by where they belong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes in the order in which they are made, and the receipt as it is then."""

    changes: tuple[Change, ...]
    receipt: Receipt
    notes: tuple[str, ...] = ()
    """What the user should know, and what could not be planned."""
    by_hand: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    """Start files that cannot be written, each with the lines that its owner may put in."""
    folders: tuple[Path, ...] = ()
    """Removed at the end, when they are empty."""


def agents_there(commands: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Of the names by which agents are started, those that are on the PATH, and what is found there."""
    found = {name: shutil.which(name, path=environ.get("PATH")) for name in commands}
    return {name: path for name, path in found.items() if path is not None}


def plan_install(wish: Wish) -> Plan:
    """Raises ConfigError: a file of the user's cannot be read, or something else stands where the link belongs."""
    old = load_receipt(wish.home)
    link, notes = _link(wish, old)
    bin_dir = bin_folder(wish.bin_dir, wish.folders.home, wish.environ)
    on_path = link is None or bin_dir in path_folders(wish.environ)
    changes: list[Change] = [link] if link else []
    changes += [FileChange(path, text) for path, text in wish.own_files.items()]
    by_hand, edited = [], set(old.edited)
    for shell in wish.shells:
        path = wish.folders.start_file(shell)
        change, mine, said = _start_file(wish, shell, path, None if on_path else bin_dir)
        notes += said
        if why_not_writable(path) and change is not None and change.needed:
            by_hand.append((path, mine))
        elif change is not None:
            changes.append(change)
            edited.add(str(path))
    made = {str(one.path) for one in changes if str(one.path) in edited and read(one.path) is None}
    folders = {str(folder) for one in changes for folder in missing_folders(one.path)}
    receipt = replace(
        old,
        launcher=str(link.path) if link else old.launcher,
        replaced=link_of(link.path) if link and str(link.path) != old.launcher else old.replaced,
        files=tuple(sorted({*old.files, *map(str, wish.own_files)})),
        edited=tuple(sorted(edited)),
        made=tuple(sorted({*old.made, *made})),
        folders=tuple(sorted({*old.folders, *folders})),
        aliases=tuple(wish.aliases),
    )
    needed = tuple(one for one in changes if one.needed)
    return Plan(changes=needed, receipt=receipt, notes=tuple(notes), by_hand=tuple(by_hand))


def plan_uninstall(receipt: Receipt, folders: Folders, shells: Sequence[str]) -> Plan:
    """Links, lines and files that an installation made; the lines also where the receipt has been lost.

    Raises:
        ConfigError: a file of the user's cannot be read.
    """
    changes: list[Change] = []
    if receipt.launcher and link_of(Path(receipt.launcher)) is not None:
        changes.append(LinkChange(Path(receipt.launcher), receipt.replaced))
    changes += [FileChange(Path(one), None) for one in receipt.files if read(Path(one)) is not None]
    notes = []
    for path in dict.fromkeys([*map(Path, receipt.edited), *map(folders.start_file, shells)]):
        text = read(path)
        if text is None or not has_block(text):
            continue
        rest = without_block(text)
        gone = not rest and (str(path) in receipt.made or path.name == f"{NAME}.fish")
        if why_not_writable(path):
            notes.append(f"{path} cannot be written: take out what stands between the marks `agentguard` yourself")
        else:
            changes.append(FileChange(path, None if gone else rest))
    left = replace(receipt, launcher="", replaced=None, files=(), edited=(), made=(), folders=(), aliases=())
    return Plan(changes=tuple(changes), receipt=left, notes=tuple(notes), folders=tuple(map(Path, receipt.folders)))


def carry_out(plan: Plan, home: Path, tell: Callable[[Change], None], *, receipt_first: bool) -> None:
    """Make the changes, each whole or not at all; what is interrupted goes on where it stopped when it is called again.

    Args:
        receipt_first: before an installation, after a removal: what is there is always on the receipt.

    Raises:
        ConfigError: a change cannot be made; those before it stand.
    """
    if receipt_first:
        save_receipt(home, plan.receipt)
    for change in plan.changes:
        change.make()
        tell(change)
    remove_empty(list(plan.folders))
    if not receipt_first:
        save_receipt(home, plan.receipt)


def _link(wish: Wish, old: Receipt) -> tuple[LinkChange | None, list[str]]:
    there = found_on_path(wish.program, wish.environ, old.launcher)
    if there is not None and wish.bin_dir is None:
        return None, [f"`{NAME}` is on the PATH already: {there}"]
    path = bin_folder(wish.bin_dir, wish.folders.home, wish.environ) / NAME
    link = LinkChange(path, link_words(path, wish.program))
    first = shutil.which(NAME, path=wish.environ.get("PATH"))
    hidden = first is not None and Path(first) != path and path.parent in path_folders(wish.environ)
    return link, [f"{first} stands before it on the PATH, and is what will be started"] if hidden else []


def _start_file(
    wish: Wish, shell: str, path: Path, bin_dir: Path | None
) -> tuple[FileChange | None, tuple[str, ...], list[str]]:
    """The change, our lines, and what is to be said of it."""
    text = read(path)
    others = without_block(text or b"")
    settings = read(wish.folders.config / "fish/config.fish") if shell == "fish" else others
    taken = [name for name in wish.aliases if own_meaning(settings or b"", name)]
    notes = [
        f"{path} gives `{name}` a meaning of its own, which stays: put `{NAME} run --` into it to have it guarded"
        for name in taken
    ]
    zsh = wish.folders.completions("zsh")
    lines = Lines(
        aliases=[name for name in wish.aliases if name not in taken],
        home_option=wish.home_option,
        bin_dir=bin_dir,
        completions=zsh.parent if shell == "zsh" and zsh in wish.own_files else None,
    ).of(shell)
    if lines:
        return FileChange(path, with_block(text or b"", lines)), tuple(lines), notes
    if text is not None and has_block(text):
        return FileChange(path, others or None if path.name == f"{NAME}.fish" else others), (), notes
    return None, (), notes
