import hashlib

import pytest

from coatcheck._core import base64url
from tests.web.sites import Site

pytestmark = pytest.mark.anyio

PATH = "/auth/.well-known/jwks.json"


async def test_the_tag_of_the_key_set_is_the_digest_of_its_octets(site: Site) -> None:
    async with site.program() as program:
        response = await program.get(PATH)
    digest = base64url.encode(hashlib.sha256(response.content).digest())[:22]
    assert response.headers["etag"] == f'"{digest}"'


async def test_who_has_the_key_set_already_is_told_so_until_it_is_another(site: Site) -> None:
    async with site.program() as program:
        tag = (await program.get(PATH)).headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            response = await program.get(PATH, headers={"If-None-Match": known})
            assert (response.status_code, response.content) == (304, b"")
            assert (response.headers["etag"], response.headers["cache-control"]) == (
                tag,
                "public, max-age=300",
            )
        await site.server.flows.key_rotation.rotate()
        response = await program.get(PATH, headers={"If-None-Match": tag})
        assert response.status_code == 200
        assert len(response.json()["keys"]) == 2
