"""The token inspector in its states."""

import base64
import json
from typing import Any

from coatcheck.inspection import inspect, read
from coatcheck.web.pages.inspector_views import FilledView, InspectorView, StepView, TokenView, VerdictView
from coatcheck.web.token_view import show

NOW = 1_790_000_000.0


def compact(header: Any, claims: Any, *more: str) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)
    ]
    return ".".join([*parts, *(more or ["c2ln"])])


def looked_into(text: str, verdict: VerdictView) -> TokenView:
    return show(text, reading=read(text), report=inspect(text, NOW), verdict=verdict)


HOSTILE = compact(
    {"alg": "none", "typ": "<script>alert(1)</script>", "kid": "../../etc/passwd"},
    {
        "sub": "\u202egnp.exe\u200b",
        "<img src=x onerror=alert(1)>": '"><script>alert(2)</script>',
        "long" * 40: "x" * 600,
        "exp": 1e300,
        "deep": {"a": ["an object that does not fit", {"b": "on one line"}]},
    },
)
VALID = VerdictView(
    status="valid",
    title="The signature is genuine, and it is in force",
    text="Checked: the signature and the times, with the key given.",
    notes=("This is a private key.",),
    steps=(
        StepView(check="form", status="ok", message="three parts"),
        StepView(check="issuer", status="not checked", message='"https://id.example"'),
        StepView(check="expiry", status="failed", message="expired 5 minutes ago"),
        StepView(check="audience", status="not reached", message=""),
    ),
)
CHOICE = VerdictView(
    status="open",
    title="Which algorithm is the key for?",
    text="It fits RS256, PS256.",
    choices=("RS256", "PS256"),
)
REFUSED = VerdictView(status="refused", title="Refused: it is not signed", text="There is nothing to verify.")
GOOD = compact(
    {"alg": "ES256", "typ": "at+jwt"},
    {"iss": "https://id.example", "aud": "a", "iat": NOW, "exp": NOW + 300, "sub": "ada"},
)
ENCRYPTED = compact({"alg": "dir", "enc": "A256GCM"}, {}, "aXY", "Y2lwaGVydGV4dA", "dGFn")

_EMPTY = InspectorView(issuer="http://localhost:8000", algorithms=("HS256", "ES256"))


def _view(text: str, verdict: VerdictView) -> InspectorView:
    filled = FilledView(token=text, alg="ES256", encoding="hex", issuer="https://id.example")
    return InspectorView(
        issuer="http://localhost:8000",
        algorithms=("HS256", "ES256"),
        asked=filled,
        token=looked_into(text, verdict),
    )


INSPECTOR_SAMPLES = {
    "inspector-empty": _EMPTY,
    "inspector-no-token": InspectorView(
        issuer="http://localhost:8000", algorithms=("ES256",), trouble="This is no token: it has 1 part."
    ),
    "inspector-valid": _view(GOOD, VALID),
    "inspector-choice": _view(GOOD, CHOICE),
    "inspector-hostile": _view(HOSTILE, REFUSED),
    "inspector-encrypted": _view(ENCRYPTED, CHOICE),
}
