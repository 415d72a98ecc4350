"""For engines that say which types occur in a block: cut blocks that overlap enough, confirm within each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from agentguard.detect.confirm import Confirmer, Hit, in_order

Filter = Callable[[bytes], Mapping[int, Collection[int]]]
"""Indices of the types whose pattern matches somewhere in a block: may name too many, never too few. Of each the ends
of its matches, ascending, where the filter knows them; of those within `NEAR` bytes the first."""


def scan_blocks(data: bytes, size: int, types_in: Filter, confirmer: Confirmer) -> list[Hit]:
    """Hits of all types. A keyword belongs to one block of `size` bytes; the filter sees enough around it."""
    hits: list[Hit] = []
    floors: dict[int, int] = {}
    for low in range(0, len(data), size):
        high = min(len(data), low + size)
        base = max(0, low - confirmer.max_lead)
        block = data if len(data) <= size else data[base : high + confirmer.max_length]
        found = types_in(block)
        if not found:
            continue
        lowered = b""
        for index, ends in found.items():
            if ends:
                near = confirmer.positions_before(index, block, ends, base)
                positions = [at for at in near if low <= at < high]
            else:
                lowered = lowered or block.lower()
                positions = confirmer.positions(index, lowered, base, low, high)
            confirmed, floors[index] = confirmer.confirm(index, data, positions, floors.get(index, 0))
            hits += confirmed
    return in_order(hits)
