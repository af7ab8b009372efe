"""Somebody with a browser that fills in forms: as much of one as signing in and consenting takes."""

import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

_MOST_STEPS = 20


@dataclass
class Form:
    """A form of a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "input" and self.forms and "name" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms and "name" in given:
            self.forms[-1].buttons.append((given["name"], given.get("value", "")))


def forms_of(page: str) -> list[Form]:
    """Return the forms of a page."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


class Person:
    """Signs in where that is asked, says yes where that is asked, and stops where another site begins."""

    def __init__(self, issuer: str, *, email: str, password: str, trusted: Path) -> None:
        self._issuer = issuer
        self._email = email
        self._password = password
        context = ssl.create_default_context(cafile=str(trusted))
        agent = {"User-Agent": "Mozilla/5.0 (test)", "Accept": "text/html"}
        self._client = httpx.Client(verify=context, headers=agent, timeout=30)
        self.pages: list[str] = []

    def close(self) -> None:
        """Throw the browser away."""
        self._client.close()

    def browse(self, url: str) -> str:
        """Go to an address of the provider and on, and return the first address elsewhere that this leads to."""
        response = self._client.get(url)
        for _ in range(_MOST_STEPS):
            if response.is_redirect:
                url = urljoin(str(response.url), response.headers["location"])
                if urlsplit(url).netloc != urlsplit(self._issuer).netloc:
                    return url
                response = self._client.get(url)
                continue
            assert response.status_code == 200, response.text
            self.pages.append(response.text)
            response = self._submit(response)
        raise AssertionError(f"too many steps, the last at {response.url}")

    def _submit(self, response: httpx.Response) -> httpx.Response:
        found = [form for form in forms_of(response.text) if form.method == "post"]
        wanted = [form for form in found if "password" in form.fields]
        form = (wanted or [form for form in found if form.buttons] or found)[-1]
        fields = dict(form.fields)
        if "password" in fields:
            fields["password"] = self._password
        if "email" in fields:
            fields["email"] = self._email
        if form.buttons:
            name, value = form.buttons[0]
            fields[name] = value
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(self._issuer))
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        return self._client.post(urljoin(str(response.url), form.action), data=fields, headers=headers)
