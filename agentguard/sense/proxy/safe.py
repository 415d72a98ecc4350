"""No exception leaves a hook: mitmproxy would log its text, which may quote a body, and let the flow go on unseen."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from agentguard.sense.proxy.desk import Desk
from agentguard.sense.proxy.logs import place_of, write_line

Hook = TypeVar("Hook", bound=Callable[..., Any])


class HasDesk(Protocol):
    @property
    def desk(self) -> Desk: ...


def safe(hook: Hook) -> Hook:
    """For the methods of an addon: after an error the desk is told, and the flow goes on."""

    def fail(addon: HasDesk, error: Exception) -> None:
        write_line(f"hook {hook.__name__} {type(error).__name__} {place_of(error.__traceback__)}")
        addon.desk.failed(hook.__name__, error)

    @functools.wraps(hook)
    def plain(self: HasDesk, *arguments: Any) -> None:
        try:
            hook(self, *arguments)
        except Exception as error:
            fail(self, error)

    @functools.wraps(hook)
    async def waiting(self: HasDesk, *arguments: Any) -> None:
        try:
            await hook(self, *arguments)
        except Exception as error:
            fail(self, error)

    return cast("Hook", waiting if inspect.iscoroutinefunction(hook) else plain)
