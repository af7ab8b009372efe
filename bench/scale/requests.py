"""What wrk is given to send: each kind of request as a script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.provider.calls import Call, Chains
from bench.provider.machine import API, SCOPE
from bench.scale.nodes import Site
from bench.scale.seeding import People
from bench.web.load import Load, wrk
from bench.web.programs.person import PASSWORD

CHECK, ISSUE, REFRESH, SIGN_IN = "session check", "token issue", "refresh", "sign-in"
_SESSION = "/auth/session"
_TOKEN = "/auth/token"
_SIGN_IN = "/auth/sign-in"

_CHECKS = """\
local requests, at = {}, 0
function init()
  for line in io.lines("%s") do
    requests[#requests + 1] = wrk.format("GET", "%s", {["Cookie"] = line, ["Accept"] = "application/json"})
  end
end
function request()
  at = at %% #requests + 1
  return requests[at]
end
"""
# From one address alone, or to one account, one would soon be told to wait.
_SIGN_INS = """\
local at, bodies = %d, {
%s
}
function request()
  at = at + 1
  local address = "10." .. math.floor(at / 65536) %% 256 .. "." .. math.floor(at / 256) %% 256 .. "." .. at %% 256
  return wrk.format("POST", "%s", {
    ["Content-Type"] = "application/json", ["Accept"] = "application/json", ["X-Forwarded-For"] = address,
  }, bodies[at %% #bodies + 1])
end
"""


@dataclass
class Sender:
    """Sends requests to a site, of one kind at a time."""

    site: Site
    people: People
    sent: int = 0
    """Sign-ins: each comes from another address."""

    def check(self, seconds: float, cookies: Sequence[str] | None = None) -> Load:
        """Session checks, each by another cookie than the one before."""
        place = self.site.directory / "cookies.txt"
        place.write_text("\n".join(cookies or self.people.cookies), encoding="ascii")
        return self._load(_SESSION, seconds, script=self._script(_CHECKS % (place, _SESSION)))

    def issue(self, seconds: float) -> Load:
        """``client_credentials``."""
        form = {"grant_type": "client_credentials", "scope": SCOPE, "resource": API}
        call = Call(_TOKEN, self.people.machine, [form], b'"access_token":"eyJ')
        call.check(self.site.port)
        return self._load(_TOKEN, seconds, script=call.script(self._place), headers=call.sent)

    def refresh(self, seconds: float, chains: Sequence[str]) -> Load:
        """Refresh tokens, each exchanged for the next."""
        call = Chains(_TOKEN, self.people.app, chains)
        return self._load(_TOKEN, seconds, script=call.script(self._place), headers=call.sent)

    def sign_in(self, seconds: float) -> Load:
        """Sign-ins by cookie."""
        bodies = [
            json.dumps({"email": email, "password": PASSWORD, "credential": "cookie"})
            for email in self.people.emails
        ]
        self.sent += 100_000
        # JSON of plain letters: between Lua's long brackets nothing needs to be escaped.
        lines = ",\n".join(f"  [[{body}]]" for body in bodies)
        return self._load(_SIGN_IN, seconds, script=self._script(_SIGN_INS % (self.sent, lines, _SIGN_IN)))

    @property
    def _place(self) -> Path:
        return self.site.directory / "load.lua"

    def _script(self, text: str) -> Path:
        self._place.write_text(text, encoding="ascii")
        return self._place

    def _load(
        self, path: str, seconds: float, *, script: Path | None, headers: dict[str, str] | None = None
    ) -> Load:
        return wrk(f"http://127.0.0.1:{self.site.port}{path}", seconds, headers=headers, script=script)


def refresh_form(token: str) -> bytes:
    """The body of a refresh."""
    return urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
