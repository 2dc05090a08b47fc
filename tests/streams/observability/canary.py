"""A synthetic person whose identifying tokens must never be seen outside topics and state, and the scanner for them."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass
class Canary:
    """One synthetic person's identifying tokens, none of them written as a constant where it is used."""

    name: str = "Zyxw" + "ilda-Qvort"
    number: str = "MRN-" + "7741903355"
    born: str = "1951-" + "02-29x"
    telephone: str = "+82-10-" + "5550-9911"
    note: str = "fell on the ward, " + "asks for her sister Wrenquist"
    tokens: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = (self.name, self.number, self.born, self.telephone, self.note)

    def found_in(self, text: str) -> list[str]:
        """Each token seen in the text: plain, in any case, escaped, reversed, and without its separators."""
        flat = text.lower()
        bare = "".join(each for each in flat if each.isalnum())
        seen = []
        for token in self.tokens:
            low = token.lower()
            forms = {low, low[::-1], json.dumps(low)[1:-1], quote(low), quote(token).lower()}
            for raw in (token.encode(), low.encode(), token.encode("utf-16-le")):
                forms |= {raw.hex(), b64encode(raw).decode().rstrip("=").lower()}
            if any(form in flat for form in forms) or "".join(c for c in low if c.isalnum()) in bare:
                seen.append(token)
        return seen
