"""A service beside the site: it verifies by itself what the site issues, and knows what the site's ledger says."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from coatcheck.jose import Key, jws
from coatcheck.jose.hazmat import read_unverified
from coatcheck.verifier import Principal, Verifier
from tests.verifier.issuer import moment
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, Site


@dataclass
class Service:
    """A verifier with the site's keys and ledger, at the site's time. How both get there is tested elsewhere."""

    site: Site
    verifier: Verifier

    async def hear(self) -> None:
        """Hear of everything that was written in the ledger until now."""
        view = self.verifier._view
        view.install(await self.site.server.flows.context.access_tokens.key_set())
        now = moment()
        view.reset_clock(self.site.clock(), sent=now, received=now)
        view.confirm(self.site.clock(), now)
        view.offset = 0.0
        view.registry.add(await self.site.server.storage.records.list_entries(after=0, limit=1000))

    async def accepts(self, token: str) -> bool:
        """Tell whether a token is good here, after hearing of everything."""
        return await self.reason(token) == ""

    async def reason(self, token: str) -> str:
        """Return why a token is refused; ``""`` if it is not."""
        await self.hear()
        try:
            self.verifier.verify(token)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
            return str(getattr(error, "reason", "")) or repr(error)
        return ""

    async def principal(self, token: str) -> Principal:
        await self.hear()
        return self.verifier.verify(token)


def service_of(site: Site, *, audience: str = ORIGIN) -> Service:
    return Service(site, Verifier(ORIGIN, audience=audience, clock=site.clock))


async def signing_key(site: Site) -> Key:
    return await site.server.flows.context.access_tokens.signing_key()


def allowed_at(route: Any) -> str:
    """Return the methods that a route allows, whatever stands around it for scripts of other origins."""
    return str(getattr(getattr(route.app, "_app", route.app), "allowed", ""))


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, true or not."""
    return dict(read_unverified(token).claims)


async def altered(
    site: Site, token: str, *, key: Key | None = None, typ: str = "at+jwt", **claims: Any
) -> str:
    """Return a token that says something else, signed with the site's own key or another one."""
    stated = {name: value for name, value in (claims_of(token) | claims).items() if value is not None}
    return jws.sign(json.dumps(stated).encode(), key or await signing_key(site), typ=typ)


async def status_at_site(site: Site, token: str) -> int:
    """Return what the site itself answers to whoever shows a token."""
    async with site.program() as program:
        answer = await program.get("/auth/session", headers={"authorization": f"Bearer {token}"})
        return answer.status_code


async def sign_in(site: Site, email: str = EMAIL, password: str = PASSWORD, **wishes: str) -> httpx.Response:
    async with site.program() as program:
        return await program.post("/auth/sign-in", json={"email": email, "password": password, **wishes})
