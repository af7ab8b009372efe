"""What is sent under load: the same request, several in turn, or each with what the answer before it brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.web import client
from bench.web.client import UnexpectedAnswerError

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HEAD = """\
wrk.method = "POST"
local at, requests, bodies = 0, {}, {
%s
}
"""
_IN_TURN = """\
function init()
  for place, body in ipairs(bodies) do requests[place] = wrk.format(nil, nil, nil, body) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"""
_CHAINED = """\
local last = #bodies
function request()
  at = at + 1
  local token = bodies[at]
  bodies[at] = nil
  return wrk.format(nil, nil, nil, "grant_type=refresh_token&refresh_token=" .. token)
end
function response(status, headers, body)
  last = last + 1
  bodies[last] = string.match(body, '"refresh_token": ?"([^"]+)"')
end
"""


@dataclass(frozen=True)
class Call:
    """A request to one endpoint."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    forms: Sequence[Mapping[str, str]] = ()
    """What is posted, in turn; nothing for a GET."""
    says: bytes = b""
    """What every right answer has in it."""

    def check(self, port: int) -> client.Answer:
        """See once that it is answered as it should be, before it is timed."""
        answer = send(port, self.path, self.forms[0] if self.forms else None, headers=self.headers)
        if self.says not in answer.body:
            raise UnexpectedAnswerError(f"{self.path} answered {answer.body[:200]!r}")
        return answer

    def script(self, place: Path) -> Path | None:
        """Write what has wrk send this; ``None`` if it needs none."""
        if not self.forms:
            return None
        return _write(place, [urlencode(form) for form in self.forms], _IN_TURN)

    @property
    def sent(self) -> dict[str, str]:
        """All headers."""
        return {**self.headers, **(_FORM if self.forms else {})}


@dataclass(frozen=True)
class Chains:
    """Refresh tokens, each to be exchanged for the next: a token is good once."""

    path: str
    headers: Mapping[str, str]
    tokens: Sequence[str]

    def script(self, place: Path) -> Path:
        """Write what has wrk send these."""
        return _write(place, self.tokens, _CHAINED)

    @property
    def sent(self) -> dict[str, str]:
        """All headers."""
        return {**self.headers, **_FORM}


def send(
    port: int, path: str, form: Mapping[str, str] | None, *, headers: Mapping[str, str]
) -> client.Answer:
    """Send a request; an answer that is no success raises."""
    if form is None:
        answer = client.get(port, path, headers)
        if answer.status != 200:
            raise UnexpectedAnswerError(f"{path} answered {answer.status}: {answer.body[:200]!r}")
        return answer
    return client.post_form(port, path, form, headers=headers)


def _write(place: Path, bodies: Sequence[str], rest: str) -> Path:
    # Tokens and encoded forms have neither quotation marks nor backslashes.
    place.write_text(_HEAD % ",\n".join(f'  "{body}"' for body in bodies) + rest, encoding="ascii")
    return place
