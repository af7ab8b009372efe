import logging

import pytest

from coatcheck.web.access_log import SecretMask, install_secret_mask, mask_query
from tests.web.sites import open_site


@pytest.mark.parametrize(
    "target, masked",
    [
        ("/auth/reset?token=abc", "/auth/reset?token=***"),
        ("/auth/reset?x=1&token=abc&y=2", "/auth/reset?x=1&token=***&y=2"),
        ("/auth/reset?%74oken=abc", "/auth/reset?%74oken=***"),
        ("/auth/reset?Token=abc", "/auth/reset?Token=***"),
        ("/auth/sign-in?next=%2Fauth%2Freset%3Ftoken%3Dabc", "/auth/sign-in?next=***"),
        ("/x?a=b&password=p%26q", "/x?a=b&password=***"),
        ("/auth/end-session?id_token_hint=a.b.c&state=1", "/auth/end-session?id_token_hint=***&state=1"),
        ("/auth/authorize?login_hint=ann%40example.com", "/auth/authorize?login_hint=***"),
        ("/auth/end-session?ticket=abc", "/auth/end-session?ticket=***"),
        ("/x?token", "/x?token"),
        ("/x?page=2", "/x?page=2"),
        ("/x", "/x"),
    ],
)
def test_secrets_in_a_query_are_masked(target: str, masked: str) -> None:
    assert mask_query(target) == masked


def test_the_filter_masks_what_uvicorn_logs() -> None:
    logger = logging.getLogger("coatcheck.test.masked")
    logger.addFilter(SecretMask())
    arguments = ("127.0.0.1:1234", "GET", "/auth/reset?token=abc", "1.1", 200)
    record = logger.makeRecord(logger.name, logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)
    assert logger.filter(record)
    assert record.getMessage() == '127.0.0.1:1234 - "GET /auth/reset?token=*** HTTP/1.1" 200'


def test_a_record_without_arguments_goes_through() -> None:
    record = logging.makeLogRecord({"msg": "started", "args": None})
    assert SecretMask().filter(record)
    assert record.getMessage() == "started"


def test_installing_it_twice_is_installing_it_once() -> None:
    install_secret_mask("coatcheck.test.access")
    install_secret_mask("coatcheck.test.access")
    assert len(logging.getLogger("coatcheck.test.access").filters) == 1


@pytest.mark.anyio
async def test_secrets_in_the_access_log_of_a_server_inside_of_another_application() -> None:
    """It is not we who start uvicorn then."""
    logger = logging.getLogger("uvicorn.access")
    for each in [*logger.filters]:
        logger.removeFilter(each)
    async with open_site():
        record = logger.makeRecord(logger.name, logging.INFO, "", 0, "%s", ("/auth/reset?token=abc",), None)
        assert logger.filter(record)
        assert record.getMessage() == "/auth/reset?token=***"
