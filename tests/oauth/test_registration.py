"""What client metadata has to satisfy, and what becomes of it."""

from typing import Any

import msgspec
import pytest

from coatcheck.jose import Key
from coatcheck.oauth.errors import InvalidClientMetadataError, InvalidRedirectURIError, OAuthError
from coatcheck.oauth.metadata_rules.keys import signing_keys
from coatcheck.oauth.metadata_rules.subjects import check_sector_document
from coatcheck.oauth.registration import CheckedMetadata, check_metadata, metadata_of, read_metadata

URI = "https://app.example/callback"
RSA = Key.generate("RS256", kid="rsa", bits=2048)
EC = Key.generate("ES256", kid="ec")


def jwks(*keys: Key | dict[str, Any]) -> dict[str, Any]:
    return {"keys": [key.to_jwk() if isinstance(key, Key) else key for key in keys]}


def without_alg(key: Key) -> dict[str, Any]:
    return {name: value for name, value in key.to_jwk().items() if name not in {"alg", "use"}}


def check(**document: Any) -> CheckedMetadata:
    """Check metadata; the names of the arguments of ``check_metadata`` are taken for those."""
    given = {"redirect_uris": [URI], **document}
    given = {name: value for name, value in given.items() if value is not ...}
    trusted, hybrid, development = (given.pop(name, False) for name in ("trusted", "hybrid", "development"))
    return check_metadata(read_metadata(given), trusted=trusted, hybrid=hybrid, development=development)


def refused(field: str, **document: Any) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        check(**document)
    assert caught.value.field == field
    return caught.value


class TestDefaults:
    def test_a_client_that_says_nothing_but_where_it_is(self) -> None:
        checked = check()
        assert checked.grant_types == ("authorization_code",)
        assert checked.response_types == ("code",)
        assert checked.token_endpoint_auth_method == "client_secret_basic"
        assert checked.application_type == "web"
        assert checked.subject_type == "public"
        assert checked.id_token_signed_response_alg == "RS256"
        assert checked.name == "app.example"
        assert checked.scope is None
        assert not checked.first_party

    def test_null_is_as_good_as_nothing(self) -> None:
        fields: dict[str, Any] = dict.fromkeys(
            ("grant_types", "response_types", "client_name", "scope", "jwks")
        )
        assert check(**fields) == check()

    def test_unknown_localised_and_signed_statements_are_ignored(self) -> None:
        extra: dict[str, Any] = {
            "client_name#de": "App",
            "request_uris": ["https://app.example/r"],
            "x": {"y": [1]},
        }
        extra |= {"software_statement": "e30.e30.", "request_object_signing_alg": "none"}
        assert check(**extra) == check()

    def test_all_that_is_registered_is_told(self) -> None:
        document: dict[str, Any] = {
            "client_name": "App",
            "client_uri": "https://app.example/",
            "logo_uri": "https://app.example/logo.png",
            "policy_uri": "https://app.example/policy",
            "tos_uri": "https://app.example/terms",
            "contacts": ["ops@app.example"],
            "scope": "openid email",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": jwks(EC),
            "application_type": "web",
            "subject_type": "pairwise",
            "id_token_signed_response_alg": "ES256",
            "userinfo_signed_response_alg": "RS256",
            "default_max_age": 0,
            "require_auth_time": True,
            "default_acr_values": ["aal2"],
            "initiate_login_uri": "https://app.example/sign-in",
            "post_logout_redirect_uris": ["https://app.example/bye"],
            "backchannel_logout_uri": "https://app.example/logout",
            "backchannel_logout_session_required": True,
            "frontchannel_logout_uri": "https://app.example/front",
            "frontchannel_logout_session_required": True,
            "require_pushed_authorization_requests": True,
            "software_id": "app",
            "software_version": "1.0",
        }
        shown = metadata_of(check(**document).new("c1", created_at=1.0))
        assert msgspec.json.decode(msgspec.json.encode(shown)) == {"redirect_uris": [URI], **document}

    def test_a_client_keeps_what_is_no_metadata_of_it(self) -> None:
        client = check(client_name="Before").new("c1", created_at=1.0)
        client = msgspec.structs.replace(client, secret_digest=b"d", registered_by="itself")
        changed = check(client_name="After").on(client)
        assert changed == msgspec.structs.replace(client, name="After")


class TestGrants:
    @pytest.mark.parametrize(
        "document, grants, responses",
        [
            ({"grant_types": ["client_credentials"]}, ("client_credentials",), ()),
            ({"response_types": ["code"]}, ("authorization_code",), ("code",)),
            (
                {"grant_types": ["refresh_token", "authorization_code"]},
                ("authorization_code", "refresh_token"),
                ("code",),
            ),
            (
                {
                    "grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
                    "response_types": ["code", "token"],
                },
                ("authorization_code",),
                ("code",),
            ),
        ],
        ids=["machine", "response-type-alone", "refresh", "unknown-ones-left-out"],
    )
    def test_they_are_completed(
        self, document: dict[str, Any], grants: tuple[str, ...], responses: tuple[str, ...]
    ) -> None:
        checked = check(**document)
        assert checked.grant_types == grants
        assert checked.response_types == responses

    def test_the_words_of_a_response_type_come_in_any_order(self) -> None:
        checked = check(
            hybrid=True,
            response_types=["id_token code"],
            grant_types=["authorization_code", "implicit"],
        )
        assert checked.response_types == ("code id_token",)
        assert metadata_of(checked.new("c", created_at=0))["grant_types"] == [
            "authorization_code",
            "implicit",
        ]

    def test_hybrid_ones_are_refused_while_they_are_off(self) -> None:
        refused("response_types", response_types=["code id_token"])
        refused("response_types", response_types=["id_token"])
        assert check(hybrid=True, response_types=["id_token"]).grant_types == ()

    @pytest.mark.parametrize(
        "field, document",
        [
            ("response_types", {"grant_types": ["client_credentials"], "response_types": ["code"]}),
            ("response_types", {"grant_types": ["authorization_code"], "response_types": []}),
            ("grant_types", {"grant_types": ["password"]}),
            ("grant_types", {"grant_types": ["refresh_token"], "response_types": []}),
            ("grant_types", {"grant_types": [], "response_types": []}),
            ("response_types", {"response_types": ["token"]}),
        ],
        ids=["code-without-its-grant", "grant-without-code", "password", "refresh-alone", "nothing", "token"],
    )
    def test_what_does_not_go_together_is_refused(self, field: str, document: dict[str, Any]) -> None:
        refused(field, **document)

    def test_whoever_runs_the_server_is_told_of_what_is_unknown(self) -> None:
        refused("grant_types", trusted=True, grant_types=["authorization_code", "password"])
        refused("response_types", trusted=True, response_types=["code", "token"])


class TestRedirectURIs:
    def test_whoever_is_answered_through_a_browser_needs_one(self) -> None:
        assert isinstance(refused("redirect_uris", redirect_uris=...), InvalidRedirectURIError)
        assert isinstance(refused("redirect_uris", redirect_uris=[]), InvalidRedirectURIError)
        assert isinstance(refused("redirect_uris", redirect_uris="no list"), InvalidRedirectURIError)
        assert isinstance(refused("redirect_uris", redirect_uris=[1]), InvalidRedirectURIError)
        assert check(redirect_uris=..., grant_types=["client_credentials"]).redirect_uris == ()

    def test_there_are_not_too_many(self) -> None:
        uris = [f"{URI}/{number}" for number in range(51)]
        refused("redirect_uris", redirect_uris=uris)
        assert len(check(redirect_uris=[*uris[:50], uris[0]]).redirect_uris) == 50

    def test_tools_on_peoples_machines_need_not_call_themselves_native(self) -> None:
        for uri in ("http://localhost:1/cb", "http://127.0.0.1/cb", "http://[::1]/cb"):
            assert check(redirect_uris=[uri], token_endpoint_auth_method="none").redirect_uris == (uri,)

    def test_a_web_client_that_is_answered_with_tokens_has_https_only(self) -> None:
        local: dict[str, Any] = {
            "redirect_uris": ["http://localhost/cb"],
            "response_types": ["code id_token"],
        }
        refused("redirect_uris", hybrid=True, **local)
        assert check(hybrid=True, application_type="native", **local).name

    def test_a_confidential_web_client_has_no_scheme_of_its_own(self) -> None:
        refused("redirect_uris", redirect_uris=["com.example.app:/cb"])
        assert check(redirect_uris=["com.example.app:/cb"], application_type="native").name
        assert check(redirect_uris=["com.example.app:/cb"], token_endpoint_auth_method="none").name

    def test_where_to_go_after_signing_out_is_as_strict(self) -> None:
        refused("post_logout_redirect_uris", post_logout_redirect_uris=["javascript:alert(1)"])
        refused("post_logout_redirect_uris", post_logout_redirect_uris=["http://app.example/"])
        many = [f"{URI}/{number}" for number in range(51)]
        refused("post_logout_redirect_uris", post_logout_redirect_uris=many)

    def test_application_types_are_two(self) -> None:
        refused("application_type", application_type="browser")


class TestAuthentication:
    def test_an_unknown_method_is_refused(self) -> None:
        refused("token_endpoint_auth_method", token_endpoint_auth_method="tls_client_auth")

    def test_a_public_client_gets_no_tokens_in_its_own_name(self) -> None:
        refused("grant_types", grant_types=["client_credentials"], token_endpoint_auth_method="none")

    def test_a_method_by_key_needs_keys(self) -> None:
        refused("token_endpoint_auth_method", token_endpoint_auth_method="private_key_jwt")
        assert check(token_endpoint_auth_method="private_key_jwt", jwks=jwks(EC)).jwks is not None
        uri = "https://app.example/keys"
        assert check(token_endpoint_auth_method="private_key_jwt", jwks_uri=uri).jwks_uri == uri
        assert check(token_endpoint_auth_method="private_key_jwt", trusted=True).name  # its key is made next

    @pytest.mark.parametrize(
        "method, algorithm, good",
        [
            ("private_key_jwt", "ES256", True),
            ("private_key_jwt", "HS256", False),
            ("private_key_jwt", "none", False),
            ("private_key_jwt", "XX", False),
            ("client_secret_jwt", "HS256", True),
            ("client_secret_jwt", "RS256", False),
            ("client_secret_jwt", "none", False),
            ("client_secret_basic", "none", False),
        ],
    )
    def test_the_algorithm_of_assertions_goes_with_the_method(
        self, method: str, algorithm: str, *, good: bool
    ) -> None:
        document: dict[str, Any] = {
            "token_endpoint_auth_method": method,
            "token_endpoint_auth_signing_alg": algorithm,
            "jwks": jwks(EC),
        }
        if good:
            assert check(**document).token_endpoint_auth_signing_alg == algorithm
        else:
            refused("token_endpoint_auth_signing_alg", **document)

    def test_where_there_are_no_assertions_it_means_nothing(self) -> None:
        assert check(token_endpoint_auth_signing_alg="ES256").token_endpoint_auth_signing_alg is None

    def test_it_is_known_who_needs_a_secret_and_which(self) -> None:
        assert (check().has_secret, check().needs_plain_secret) == (True, False)
        assert check(token_endpoint_auth_method="client_secret_jwt").needs_plain_secret
        assert check(id_token_signed_response_alg="HS256").needs_plain_secret
        assert check(userinfo_signed_response_alg="HS256").needs_plain_secret
        assert not check(token_endpoint_auth_method="none").has_secret


class TestKeys:
    def test_keys_are_given_in_one_way(self) -> None:
        refused("jwks", jwks=jwks(EC), jwks_uri="https://app.example/keys")

    @pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
    def test_a_private_key_is_refused(self, member: str) -> None:
        refused("jwks", jwks=jwks({**EC.to_jwk(), member: "AQAB"}))

    def test_a_shared_secret_is_refused(self) -> None:
        refused("jwks", jwks=jwks({"kty": "oct", "alg": "HS256"}))

    @pytest.mark.parametrize(
        "document",
        [
            {},
            {"keys": {}},
            {"keys": ["text"]},
            {"keys": [{}]},
            {"keys": [{"kty": 1}]},
            {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]},
            {"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB", "alg": "RS256"}]},
            jwks(*[EC] * 21),
            {"keys": [], "x": "a" * 32_768},
        ],
        ids=["none", "object", "text", "no-type", "type", "malformed", "weak", "too-many", "too-large"],
    )
    def test_what_is_no_set_of_good_public_keys_is_refused(self, document: dict[str, Any]) -> None:
        refused("jwks", jwks=document)

    def test_keys_that_are_for_something_else_are_kept_and_never_used(self) -> None:
        others = [
            {"kty": "XYZ", "kid": "unknown"},
            {**without_alg(RSA), "use": "enc", "kid": "enc"},
            {**EC.to_jwk(), "alg": "ES999", "kid": "alg"},
            {"kty": "OKP", "crv": "X448000", "kid": "crv", "x": "AA"},
            {"kty": "AB", "alg": "ES256"},
        ]
        stored = check(jwks=jwks(EC, *others)).jwks
        assert stored is not None
        assert [key.kid for key in signing_keys(stored, "ES256")] == ["ec"]
        assert len(signing_keys(stored, "RS256")) == 0

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256", "PS512"])
    def test_a_key_without_an_algorithm_is_good_for_each_that_fits_it(self, algorithm: str) -> None:
        (found,) = signing_keys(jwks(without_alg(RSA)), algorithm)
        assert found.alg == algorithm

    def test_a_key_of_one_algorithm_is_good_for_no_other(self) -> None:
        assert len(signing_keys(jwks(RSA), "PS256")) == 0

    def test_a_secret_in_somebody_elses_set_verifies_nothing(self) -> None:
        secret = {"kty": "oct", "k": "A" * 64, "kid": "ec"}
        assert [key.is_symmetric for key in signing_keys(jwks(secret, EC), "ES256")] == [False]

    def test_of_a_private_key_in_somebody_elses_set_the_public_half_is_taken(self) -> None:
        (found,) = signing_keys(jwks(EC.to_private_jwk()), "ES256")
        assert not found.is_private


class TestSubjects:
    def test_types_are_two(self) -> None:
        assert check(subject_type="pairwise").sector == "app.example"
        assert check(subject_type="public").sector == ""
        refused("subject_type", subject_type="transient")

    def test_several_hosts_need_a_document(self) -> None:
        uris = [URI, "https://other.example/callback"]
        refused("sector_identifier_uri", subject_type="pairwise", redirect_uris=uris)
        sector = "https://sector.example/uris.json"
        checked = check(subject_type="pairwise", redirect_uris=uris, sector_identifier_uri=sector)
        assert checked.sector == "sector.example"

    def test_an_app_of_no_host_needs_a_document(self) -> None:
        refused(
            "sector_identifier_uri",
            subject_type="pairwise",
            redirect_uris=["com.example.app://callback"],
            application_type="native",
        )

    def test_a_sector_of_somebody_else_is_refused(self) -> None:
        check_sector_document(msgspec.json.encode([URI, "https://more.example/"]), [URI])
        for document in (b"[]", b'["https://evil.example/"]', b"{}", b"[1]", b"\xff", b"", b"[" * 100_000):
            with pytest.raises(InvalidClientMetadataError):
                check_sector_document(document, [URI])


class TestProtection:
    @pytest.mark.parametrize("field", ["id_token_signed_response_alg", "userinfo_signed_response_alg"])
    @pytest.mark.parametrize("algorithm", ["none", "None", "ES512", "", "RS1"])
    def test_what_would_not_be_signed_as_asked_is_refused(self, field: str, algorithm: str) -> None:
        refused(field, **{field: algorithm})

    def test_a_client_without_a_secret_gets_nothing_signed_by_one(self) -> None:
        refused(
            "id_token_signed_response_alg",
            id_token_signed_response_alg="HS256",
            token_endpoint_auth_method="none",
        )

    @pytest.mark.parametrize(
        "name, value",
        [
            ("id_token_encrypted_response_alg", "RSA-OAEP"),
            ("userinfo_encrypted_response_enc", "A256GCM"),
            ("authorization_signed_response_alg", "RS256"),
            ("require_signed_request_object", True),
            ("dpop_bound_access_tokens", True),
            ("tls_client_certificate_bound_access_tokens", True),
        ],
    )
    def test_protection_that_is_asked_for_is_never_left_out_in_silence(
        self, name: str, value: object
    ) -> None:
        refused(name, **{name: value})
        assert check(**{name: False}) == check()

    def test_nobody_makes_themselves_the_operators_own(self) -> None:
        assert not check(first_party=True).first_party
        assert check(audiences=["https://api.example"]).audiences is None
        ours = check(trusted=True, first_party=True, audiences=["https://api.example"])
        assert ours.first_party
        assert ours.audiences == ("https://api.example",)


class TestAddresses:
    @pytest.mark.parametrize(
        "field",
        ["jwks_uri", "sector_identifier_uri", "backchannel_logout_uri", "initiate_login_uri"],
    )
    @pytest.mark.parametrize(
        "uri",
        [
            "http://app.example/x",
            "ftp://app.example/x",
            "https://u@app.example/",
            "https://app.example/#x",
            "",
        ],
        ids=["http", "ftp", "user", "fragment", "empty"],
    )
    def test_what_is_asked_for_is_asked_for_by_https(self, field: str, uri: str) -> None:
        refused(field, **{field: uri})

    @pytest.mark.parametrize("field", ["jwks_uri", "sector_identifier_uri", "backchannel_logout_uri"])
    def test_this_machine_is_asked_in_development_only(self, field: str) -> None:
        refused(field, **{field: "http://localhost:9000/x"})
        assert check(development=True, **{field: "http://localhost:9000/x"}).name

    def test_what_a_browser_loads_at_sign_out_is_on_the_clients_own_host(self) -> None:
        assert check(frontchannel_logout_uri="https://app.example/out").frontchannel_logout_uri
        refused("frontchannel_logout_uri", frontchannel_logout_uri="https://bank.example/transfer")
        refused("frontchannel_logout_uri", frontchannel_logout_uri="https://app.example:8443/out")
        refused("frontchannel_logout_uri", frontchannel_logout_uri="http://app.example/out")

    @pytest.mark.parametrize("field", ["client_uri", "logo_uri", "policy_uri", "tos_uri"])
    def test_a_page_to_show_is_a_page(self, field: str) -> None:
        for uri in (
            "javascript:alert(1)",
            "data:text/html,x",
            "https://u@app.example/",
            "com.example.app:/x",
        ):
            refused(field, **{field: uri})
        assert getattr(check(**{field: "http://app.example/"}), field) is None
        assert getattr(check(**{field: ""}), field) is None
        assert getattr(check(**{field: "https://app.example/"}), field) == "https://app.example/"


class TestTexts:
    @pytest.mark.parametrize(
        "field, value",
        [
            ("software_id", "a" * 256),
            ("software_version", "1\x1b[31m"),
            ("contacts", ["a"] * 21),
            ("contacts", [""]),
            ("contacts", ["a\nb"]),
            ("default_acr_values", ["a" * 256]),
            ("scope", 'a"b'),
            ("scope", "a\tb"),
            ("scope", " ".join(f"s{number}" for number in range(101))),
            ("default_max_age", -1),
            ("default_max_age", 10**10),
            ("default_max_age", "60"),
            ("grant_types", "authorization_code"),
            ("require_auth_time", "true"),
            ("jwks", "text"),
        ],
    )
    def test_it_is_bounded_and_of_its_type(self, field: str, value: object) -> None:
        error = refused(field, **{field: value})
        assert error.code == "invalid_client_metadata"

    def test_scopes_keep_their_order(self) -> None:
        assert check(scope="openid email openid").scope == ("openid", "email")
        assert check(scope="").scope is None

    def test_a_client_without_a_name_is_called_by_its_host(self) -> None:
        assert check(client_uri="https://page.example/").name == "page.example"
        assert check(redirect_uris=..., grant_types=["client_credentials"]).name == "Unnamed"
