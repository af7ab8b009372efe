"""What users say of themselves."""

from typing import Any

import pytest

from coatcheck.accounts.errors import UnknownUserError
from coatcheck.flows.provider.errors import InvalidProfileError
from coatcheck.flows.provider.profiles import PROFILE_CLAIMS, Profiles
from coatcheck.oauth.metadata import STANDARD_CLAIMS
from tests.flows.world import World, asynchronous


async def a_profile(world: World) -> tuple[Profiles, str]:
    return world.flows.provider.profiles, (await world.signed_up()).user.id


@asynchronous
async def test_a_profile_is_changed_claim_by_claim(world: World) -> None:
    profiles, user = await a_profile(world)
    assert await profiles.get(user) == {}
    await profiles.change(user, {"name": " Ada  ", "nickname": "A"})
    assert await profiles.change(user, {"nickname": ""}) == {"name": "Ada"}
    assert await profiles.get(user) == {"name": "Ada"}
    assert await profiles.change(user, {"name": None}) == {}
    assert await world.storage.records.find_profile(user) is None


@asynchronous
async def test_what_changes_nothing_is_no_update(world: World) -> None:
    profiles, user = await a_profile(world)
    await profiles.change(user, {"name": "Ada"})
    before = await world.storage.records.find_profile(user)
    world.clock.advance(10)
    await profiles.change(user, {"name": "Ada"})
    assert await world.storage.records.find_profile(user) == before


@asynchronous
async def test_nobody_can_say_that_their_own_number_is_verified(world: World) -> None:
    profiles, user = await a_profile(world)
    with pytest.raises(InvalidProfileError):
        await profiles.change(user, {"phone_number_verified": True})
    said = await profiles.change(user, {"phone_number": "+44 (20) 7946-0000"})
    assert said == {"phone_number": "+442079460000", "phone_number_verified": False}
    said = await profiles.change(user, {}, phone_verified=True)
    assert said["phone_number_verified"] is True
    said = await profiles.change(user, {"name": "Ada"})
    assert said["phone_number_verified"] is True
    said = await profiles.change(user, {"phone_number": "+1 212 555 0100"})
    assert said["phone_number_verified"] is False
    assert await profiles.change(user, {"phone_number": None, "name": None}, phone_verified=True) == {}


@asynchronous
async def test_nobody_has_no_profile(world: World) -> None:
    with pytest.raises(UnknownUserError):
        await world.flows.provider.profiles.change("nobody", {"name": "N"})


GOOD: list[tuple[str, Any, Any]] = [
    ("name", "Ada Lovelace", "Ada Lovelace"),
    ("name", "A\u030asa", "\u00c5sa"),
    (
        "name",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ),
    ("website", "https://ada.example/a?b#c", "https://ada.example/a?b#c"),
    ("website", "http://localhost:8000", "http://localhost:8000"),
    ("birthdate", "1815-12-10", "1815-12-10"),
    ("birthdate", "1815", "1815"),
    ("birthdate", "0000-02-29", "0000-02-29"),
    ("zoneinfo", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("zoneinfo", "UTC", "UTC"),
    ("locale", "en-GB", "en-GB"),
    ("locale", "zh_Hant_TW", "zh_Hant_TW"),
    ("phone_number", "+49 30/1234.567;ext=12", "+49301234567;ext=12"),
    (
        "address",
        {"street_address": "1 High St\r\nFlat 2", "country": "GB", "region": ""},
        {
            "street_address": "1 High St\nFlat 2",
            "country": "GB",
        },
    ),
    ("address", {"country": ""}, None),
    ("address", {"country": None}, None),
]


@pytest.mark.parametrize("claim, value, expected", GOOD, ids=[str(number) for number in range(len(GOOD))])
@asynchronous
async def test_a_good_value_is_kept(sqlite_world: World, claim: str, value: Any, expected: Any) -> None:
    profiles, user = await a_profile(sqlite_world)
    assert (await profiles.change(user, {claim: value})).get(claim) == expected
    assert (await profiles.get(user)).get(claim) == expected


BAD: list[tuple[str, Any]] = [
    ("sub", "eve"),
    ("email", "eve@example.com"),
    ("email_verified", True),
    ("updated_at", 1),
    ("admin", "yes"),
    ("name", "x" * 201),
    ("name", "a\u202eb"),
    ("name", "a\nb"),
    ("name", "a\x00b"),
    ("name", "\ud800"),
    ("name", 1),
    ("name", ["Ada"]),
    ("website", "javascript:alert(1)"),
    ("website", "https://"),
    ("website", "https://eve@bank.example"),
    ("website", "https://a.example:99999"),
    ("website", "https://[::1"),
    ("website", "https://a.example/\u202e"),
    ("picture", "data:image/png;base64,AA"),
    ("picture", "https://a.example/" + "x" * 2048),
    ("birthdate", "1815-02-30"),
    ("birthdate", "10.12.1815"),
    ("birthdate", "0000"),
    ("zoneinfo", "../../etc/passwd"),
    ("zoneinfo", "Europe/"),
    ("locale", "english please"),
    ("phone_number", "020 7946 0000"),
    ("phone_number", "+44"),
    ("address", "1 High St"),
    ("address", {"planet": "Earth"}),
    ("address", {"country": {"a": 1}}),
    ("address", {"country": "a\nb"}),
    ("address", {"formatted": "x" * 201}),
]


@pytest.mark.parametrize("claim, value", BAD, ids=[str(number) for number in range(len(BAD))])
@asynchronous
async def test_what_cannot_be_so_is_refused_and_nothing_changes(
    sqlite_world: World, claim: str, value: Any
) -> None:
    profiles, user = await a_profile(sqlite_world)
    await profiles.change(user, {"nickname": "Ada"})
    with pytest.raises(InvalidProfileError) as refused:
        await profiles.change(user, {"nickname": "Eve", claim: value})
    assert len(str(value)) < 11 or str(value) not in refused.value.message
    assert await profiles.get(user) == {"nickname": "Ada"}


def test_what_can_be_said_can_be_told() -> None:
    assert set(PROFILE_CLAIMS) < set(STANDARD_CLAIMS)
