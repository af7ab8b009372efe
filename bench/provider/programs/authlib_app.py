"""Authlib's authorization server on Flask: access tokens are JWTs by RFC 9068, clients are kept in a dictionary."""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, Response
from joserfc.jwk import ECKey, KeySet

from bench.provider.machine import API, MACHINE, SCOPE, SECRET


class Machine(ClientMixin):  # type: ignore[misc]  # a peer's class, known in its own environment only
    """The one client."""

    def get_client_id(self) -> str:
        """Return its identifier."""
        return MACHINE

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return what it may ask for."""
        return SCOPE if scope == SCOPE else ""

    def check_client_secret(self, client_secret: str) -> bool:
        """Tell whether that is its secret."""
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Tell whether it may authenticate itself like that."""
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether it may use that grant."""
        return grant_type == "client_credentials"


class Tokens(JWTBearerTokenGenerator):  # type: ignore[misc]  # as above
    """Signs with one key, for one API."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1", alg="ES256")
        self._keys = KeySet([ECKey.generate_key("P-256", {"kid": "ES256", "use": "sig", "alg": "ES256"})])

    def get_jwks(self) -> KeySet:
        """Return the keys."""
        return self._keys

    def get_audiences(self, *_: object) -> str:
        """Return whom its tokens are for."""
        return API


def application() -> Flask:
    """Make the server; its tokens are kept by nobody, as those of the others that are signed."""
    app = Flask(__name__)
    clients = {MACHINE: Machine()}
    server = AuthorizationServer(app, clients.get, lambda _token, _request: None)
    server.register_token_generator("default", Tokens())
    server.register_grant(ClientCredentialsGrant)

    def token() -> Response:
        answer: Any = server.create_token_response()
        return answer  # type: ignore[no-any-return]

    app.add_url_rule("/token", view_func=token, methods=["POST"])
    return app
