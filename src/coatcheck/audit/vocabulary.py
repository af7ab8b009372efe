"""By which names applications call sessions, tokens, passwords and proofs of origin. Guesses, all of them."""

from __future__ import annotations

import re
from typing import Literal

__all__ = [
    "Role",
    "is_password",
    "is_proof",
    "is_session_cookie",
    "is_sign_in",
    "is_sign_out",
    "is_token_header",
    "leads_to_one_use",
    "plain",
    "role_of",
]

Role = Literal["access", "refresh", "id", "session"]

_CREDENTIAL = re.compile(
    r"(?<!as)(?<!os)(?<!ob)sess(?!ion_?(?:count|start|time|storage|replay))|(?:^|[^a-z])sid(?:[^a-z]|$)|[a-z]sid$"
    r"|auth(?!or)|token|jwt"
    r"|(?:^|[^a-z])log(?:ged)?_?in(?:[^a-z]|$)|remember|identity|credential|\.aspnet|^coatcheck$"
)
# Read by scripts on purpose, belonging to analytics, or of use to nobody who finds them.
_OTHER = re.compile(
    r"csrf|xsrf|antiforgery|requestverification|^_ga|^_gid|^_hj|^_cl|^amp_|^ajs_|^mp_|^_pk_|^intercom|^optimizely"
    r"|^incap_|^visid|^nlbi|^__cf|^cf_|consent|analytics|device|pending|state|nonce|verifier|pkce|flash|hint|redirect"
)
_ACCESS = frozenset(
    {
        *(
            "token",
            "accesstoken",
            "authtoken",
            "authenticationtoken",
            "authorizationtoken",
            "bearertoken",
            "bearer",
        ),
        *("jwt", "jwttoken", "apitoken", "usertoken", "xauthtoken", "xaccesstoken", "apikey", "xapikey"),
    }
)
_SESSION = frozenset(
    {
        *(
            "sessionid",
            "sessiontoken",
            "sessionkey",
            "sessid",
            "sid",
            "phpsessid",
            "jsessionid",
            "aspsessionid",
        ),
        *("loginsession", "usersession", "session"),
    }
)
_REFRESH = re.compile(r"refresh_?(?:token|jwt)|^rt$")
_PASSWORD = re.compile(
    r"(?:[a-z]+_?)?(?:pass(?:word|wd|phrase|code)|pwd)"
    r"(?:_?(?:\d{1,2}|again|confirm(?:ation)?|repeat(?:ed)?|retype|verify|check|new|old|current|hash|field|input|text))?"
    r"|pass|pin|otp"
)
_PROOF = re.compile(
    r"csrf|xsrf|authenticity_?token|request_?verification_?token|anti_?forgery|^_token$|^form_?(?:key|token)$|^crumb$"
)
_SIGN_IN = re.compile(
    r"log[-_]?in|sign[-_]?in|log[-_]?on|authenticate|/sessions?/?$|/auth/?$|/token/?$", re.IGNORECASE
)
_SIGN_OUT = re.compile(r"log[-_]?out|sign[-_]?out|log[-_]?off|sign[-_]?off|end[-_]?session", re.IGNORECASE)
_ONE_USE = re.compile(
    r"reset|verif|confirm|activat|invit|magic|unsubscribe|recover|sign[-_]?up|register|forgot", re.IGNORECASE
)
_TOKEN_HEADER = re.compile(
    r"x-(?:[a-z]+-)?(?:auth|access|refresh|session|api|id|jwt|user)(?:-?(?:token|key|id))?"
    r"|(?:access|refresh|auth|id)-?token"
)
_PREFIX = re.compile(r"^__(?:host|secure|http)_(?:http_)?")
_LONGEST = 128


def plain(name: str) -> str:
    """Return a name in small letters, with underscores between its words."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:_LONGEST])
    return re.sub(r"[-\s]", "_", words).lower()


def is_session_cookie(name: str) -> bool:
    """Tell whether a cookie of this name carries a session or a token."""
    small = _PREFIX.sub("", name[:_LONGEST].lower().replace("-", "_"))
    return _OTHER.search(small) is None and _CREDENTIAL.search(small) is not None


def role_of(name: str) -> Role | None:
    """Tell what a field, parameter or cookie of this name holds; ``None`` if neither a token nor a session."""
    words = _PREFIX.sub("", plain(name))
    bare = words.replace("_", "").replace(".", "")
    if is_proof(name):
        return None
    if _REFRESH.search(words):
        return "refresh"
    if bare == "idtoken":
        return "id"
    if bare in _ACCESS:
        return "access"
    return "session" if bare in _SESSION else None


def is_password(name: str) -> bool:
    """Tell whether a field of this name is a password."""
    return _PASSWORD.fullmatch(plain(name)) is not None


def is_proof(name: str) -> bool:
    """Tell whether a header or field of this name proves where a request comes from."""
    return _PROOF.search(plain(name)) is not None


def is_sign_in(path: str) -> bool:
    """Tell whether a path is that of a sign-in."""
    return _SIGN_IN.search(path) is not None and not is_sign_out(path)


def is_sign_out(path: str) -> bool:
    """Tell whether a path is that of a sign-out."""
    return _SIGN_OUT.search(path) is not None


def leads_to_one_use(path: str) -> bool:
    """Tell whether a token in the address of this path may be that of a mail, which is for one use."""
    return _ONE_USE.search(path) is not None


def is_token_header(name: str) -> bool:
    """Tell whether a header field of this name carries a token."""
    return _TOKEN_HEADER.fullmatch(name) is not None and not is_proof(name)
