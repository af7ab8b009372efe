"""Answers that are written out once are those that would have been made."""

import pytest

from tests.web.sites import Site, open_site

pytestmark = pytest.mark.anyio

KEYS = "/auth/.well-known/jwks.json"


async def test_an_answer_that_was_written_out_is_the_one_that_would_be_made(site: Site) -> None:
    async with site.program() as program:
        answers = [await program.get(KEYS) for _ in range(3)]
        made = await program.get(KEYS, headers={"If-None-Match": '"another"'})
    for answer in answers:
        assert (answer.status_code, answer.content) == (200, made.content)
        assert sorted(answer.headers.raw) == sorted(made.headers.raw)


async def test_scripts_of_any_origin_may_read_the_keys(site: Site) -> None:
    async with site.program() as program:
        headers = (await program.get(KEYS)).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"


async def test_an_answer_is_written_out_again_when_what_it_shows_has_changed(site: Site) -> None:
    async with site.program() as program:
        before = await program.get(KEYS)
        await site.server.flows.key_rotation.rotate()
        after = await program.get(KEYS)
    assert len(after.json()["keys"]) == len(before.json()["keys"]) + 1
    assert after.headers["etag"] != before.headers["etag"]


async def test_only_a_plain_get_is_answered_with_what_was_written_out(site: Site) -> None:
    async with site.program() as program:
        answer = await program.get(KEYS)
        assert (await program.head(KEYS)).content == b""
        known = {"If-None-Match": answer.headers["etag"]}
        assert (await program.get(KEYS, headers=known)).status_code == 304
        assert (await program.post(KEYS)).status_code == 405
        assert (await program.options(KEYS)).status_code == 204


async def test_what_failed_is_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_site() as site:
        keys = site.server.flows.context.access_tokens.keys

        async def fail() -> bytes:
            raise RuntimeError("no keys")

        async with site.program() as program:
            with monkeypatch.context() as patched:
                patched.setattr(keys, "jwks", fail)
                assert (await program.get(KEYS)).status_code == 500
            assert (await program.get(KEYS)).status_code == 200
