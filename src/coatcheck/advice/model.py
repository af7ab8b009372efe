"""The values of advice: the case that is asked about, the rules, and what they say."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "ASSURANCES",
    "CLIENTS",
    "FRAMEWORKS",
    "HOSTS",
    "OFFLINE",
    "SIGN_INS",
    "SIGN_OUTS",
    "VERIFIERS",
    "Addresses",
    "Advice",
    "Assurance",
    "Case",
    "Client",
    "ClientAdvice",
    "Code",
    "Command",
    "Configuration",
    "Conflict",
    "Credential",
    "Framework",
    "Hosts",
    "Offline",
    "Setting",
    "SignIn",
    "SignOut",
    "Source",
    "Statement",
    "ThreatAdvice",
    "Verifier",
]

Client = Literal["browser", "spa", "mobile", "cli", "machine", "agent"]
SignIn = Literal["here", "provider", "proxy"]
Hosts = Literal["one", "subdomains", "domains"]
SignOut = Literal["at-once", "a-minute", "minutes", "an-hour"]
Verifier = Literal["services", "downstream", "third-parties"]
Offline = Literal["no", "clients", "verifiers"]
Assurance = Literal["ordinary", "aal2", "aal3"]
Framework = Literal["fastapi", "starlette", "litestar", "django", "flask", "other"]

CLIENTS: tuple[Client, ...] = ("browser", "spa", "mobile", "cli", "machine", "agent")
SIGN_INS: tuple[SignIn, ...] = ("here", "provider", "proxy")
HOSTS: tuple[Hosts, ...] = ("one", "subdomains", "domains")
SIGN_OUTS: tuple[SignOut, ...] = ("at-once", "a-minute", "minutes", "an-hour")
VERIFIERS: tuple[Verifier, ...] = ("services", "downstream", "third-parties")
OFFLINE: tuple[Offline, ...] = ("no", "clients", "verifiers")
ASSURANCES: tuple[Assurance, ...] = ("ordinary", "aal2", "aal3")
FRAMEWORKS: tuple[Framework, ...] = ("fastapi", "starlette", "litestar", "django", "flask", "other")


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are, for lines that can be copied. Origins, ``https://app.example.com``; ``""`` for an example.

    Attributes:
        app: What browsers open.
        server: Where people sign in, if it is another host.
        api: What clients with tokens call.
    """

    app: str = ""
    server: str = ""
    api: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The answers. Each has a default, except for the clients.

    Attributes:
        clients: Who carries a credential.
        sign_in: Who proves who people are: this site, another provider alone, or a proxy before static pages.
        hosts: Where what browsers open and call is: on one host, on several of one site, on several domains.
        backend: Whether the single-page app has a program of yours on its own host.
        sign_out: How soon a sign-out must bite everywhere.
        verifiers: Who checks credentials besides the app itself: services that clients call, services behind those,
            third parties.
        offline: Who must get by without a connection.
        hidden: Whether there is data about users that their clients must not read.
        assurance: How strongly people must sign in, by NIST's levels.
        framework: What the application is written in.
        addresses: Where things are.
    """

    clients: tuple[Client, ...]
    sign_in: SignIn = "here"
    hosts: Hosts = "one"
    backend: bool = True
    sign_out: SignOut = "at-once"
    verifiers: tuple[Verifier, ...] = ()
    offline: Offline = "no"
    hidden: bool = False
    assurance: Assurance = "ordinary"
    framework: Framework = "fastapi"
    addresses: Addresses = Addresses()


class Source(msgspec.Struct, frozen=True):
    """What says so.

    Attributes:
        document: Its short name, a key of ``sources.DOCUMENTS``.
        section: The section, or the row of the checklist.
    """

    document: str
    section: str


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What a client carries.

    Attributes:
        id: Its stable name.
        name: It in a few words.
        how: How it comes to the client and where it is kept.
        ours: Whether Coatcheck gives it out.
        guide: The page of the documentation about it; ``""`` if there is none.
    """

    id: str
    name: str
    how: str
    ours: bool = True
    guide: str = ""


class ClientAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """The credential for one client.

    Attributes:
        client: Which.
        credential: What it carries.
        reason: Why this one.
        rule: The rule that says so.
        sources: What the rule rests on.
    """

    client: Client
    credential: Credential
    reason: str
    rule: str
    sources: tuple[Source, ...]


class ThreatAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """A threat that remains.

    Attributes:
        rule: The rule that says so.
        threat: What can still happen.
        do: What to do about it.
        clients: Whom it concerns.
        sources: What the rule rests on.
    """

    rule: str
    threat: str
    do: str
    clients: tuple[Client, ...]
    sources: tuple[Source, ...]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Something else to know about the case.

    Attributes:
        rule: The rule that says so.
        title: It in a few words.
        text: It in full.
        sources: What the rule rests on.
    """

    rule: str
    title: str
    text: str
    sources: tuple[Source, ...]


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two answers that cannot both be had.

    Attributes:
        rule: The rule that says so.
        conflict: What does not go together.
        gives: Which of the answers must give.
        answer: The name of that answer.
        given: What was answered.
        taken: What the advice goes by instead.
        sources: What the rule rests on.
    """

    rule: str
    conflict: str
    gives: str
    answer: str
    given: str
    taken: str
    sources: tuple[Source, ...]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``coatcheck.toml``.

    Attributes:
        name: The setting.
        value: Its value as TOML has it.
        why: Why it is there; ``""`` if that is plain.
    """

    name: str
    value: str
    why: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A line for the shell.

    Attributes:
        line: It.
        why: What it does.
    """

    line: str
    why: str


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """Lines for the application.

    Attributes:
        title: What they do.
        language: ``python`` or ``sh``.
        text: They themselves.
    """

    title: str
    language: Literal["python", "sh"]
    text: str


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """How the advice is put into practice with Coatcheck; empty where the advice is something else.

    Attributes:
        settings: The lines of ``coatcheck.toml``.
        commands: What to type once, in order.
        code: What to write.
    """

    settings: tuple[Setting, ...] = ()
    commands: tuple[Command, ...] = ()
    code: tuple[Code, ...] = ()

    def toml(self) -> str:
        """Return the settings as the file ``coatcheck.toml``; ``""`` if there are none."""
        lines = [
            f"# {setting.why}\n{setting.name} = {setting.value}\n"
            if setting.why
            else f"{setting.name} = {setting.value}\n"
            for setting in self.settings
        ]
        return "".join(lines)


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say about a case.

    Attributes:
        asked: The case as it was described.
        case: The case that the advice is for: the same, but for what had to give.
        conflicts: What had to give, and why.
        instead: Where something else than Coatcheck is the right answer, or is needed besides.
        clients: The credential for each client, in the order of the case.
        checks: How whoever checks a credential hears that it has ended.
        threats: What can still happen.
        unneeded: What can be done without.
        configuration: How it is put into practice.
    """

    asked: Case
    case: Case
    conflicts: tuple[Conflict, ...]
    instead: tuple[Statement, ...]
    clients: tuple[ClientAdvice, ...]
    checks: tuple[Statement, ...]
    threats: tuple[ThreatAdvice, ...]
    unneeded: tuple[Statement, ...]
    configuration: Configuration
