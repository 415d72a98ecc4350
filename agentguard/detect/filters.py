"""Where the value of a common form ends, and whether it is a secret: what `filter:` may name in policies/secrets.yaml.

`password = "…"` stands everywhere. What follows it is a credential only when it is a value at all (no name, no call, no
template) and rare enough; a pattern cannot say that. A filter gets a match that ends with the value's first characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Filter = Callable[[bytes, re.Match[bytes]], tuple[int, int] | None]
"""(the scanned bytes, a match of the pattern in them) to the half-open span of the secret; None: there is none."""

FILTERS: dict[str, Filter] = {}
