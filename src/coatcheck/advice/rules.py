"""The rules, as one table: when, what is advised, why, and what says so.

For each client the first row of ``CHOICES`` that holds counts. Of other tables every row that holds is told.
``CONFLICTS`` comes first of all: where answers cannot all be had, it says which gives, and the others go by that.

To change the advice, change a row; ``tests/advice`` has the answers that are known to be right.
"""

from __future__ import annotations

from . import credentials as carry
from .model import Assurance, Client, Hosts, Offline, SignIn, Source
from .ruling import ConflictRule, CredentialRule, StatementRule, ThreatRule, When

__all__ = ["CHECKS", "CHOICES", "CONFLICTS", "INSTEAD", "THREATS", "UNNEEDED"]

_BROWSERS: tuple[Client, ...] = ("browser", "spa")
_TOKEN_CLIENTS: tuple[Client, ...] = ("mobile", "cli", "machine", "agent")
_ELSEWHERE: tuple[Hosts, ...] = ("subdomains", "domains")
_HERE: tuple[SignIn, ...] = ("here",)
_CONNECTED: tuple[Offline, ...] = ("no", "clients")
_HIGH: tuple[Assurance, ...] = ("aal2", "aal3")
_COOKIES = (carry.SESSION_COOKIE, carry.APP_SESSION, carry.GATEWAY_SESSION, carry.FRAMEWORK_SESSION)


def _on(text: str) -> tuple[Source, ...]:
    """Read ``RFC 9700: 2.1.1, 2.4; ASVS 5.0: 7.4.1``."""
    return tuple(
        Source(document, section)
        for document, _, sections in (part.partition(": ") for part in text.split("; "))
        for section in sections.split(", ")
    )


# --- answers that cannot all be had -------------------------------------------------------------------------------

CONFLICTS: tuple[ConflictRule, ...] = (
    ConflictRule(
        id="proxy-only-for-browsers",
        when=When(sign_in=("proxy",), clients=_TOKEN_CLIENTS),
        conflict="A proxy that shields pages asks people in browsers. Apps, programs and agents do not pass it.",
        gives="The proxy gives: clients without a browser need a server that issues tokens.",
        becomes=("sign_in", "here"),
        sources=_on("RFC 9700: 2.1.1"),
    ),
    ConflictRule(
        id="proxy-known-to-nobody-else",
        when=When(sign_in=("proxy",), verifiers=("services", "downstream", "third-parties")),
        conflict="What a proxy has asked, nobody behind it or beside it can verify.",
        gives="The proxy gives: where others verify, somebody must issue what they can verify.",
        becomes=("sign_in", "here"),
        sources=_on("RFC 8725: 3.8"),
    ),
    ConflictRule(
        id="proxy-is-one-factor",
        when=When(sign_in=("proxy",), assurance=_HIGH),
        conflict="A list of passwords at a proxy is one factor, and these levels ask for two.",
        gives="The proxy gives: a provider with second factors signs people in.",
        becomes=("sign_in", "provider"),
        sources=_on("NIST SP 800-63B-4: 2.2.1"),
    ),
    ConflictRule(
        id="nobody-to-verify-offline",
        when=When(offline=("verifiers",), nobody_else_verifies=True),
        conflict="Others are to verify without a connection, but nobody else verifies.",
        gives="Verifying offline gives: the app itself always has its sessions at hand.",
        becomes=("offline", "no"),
        sources=_on("RFC 9068: 4"),
    ),
    ConflictRule(
        id="no-offline-verifier-at-high-assurance",
        when=When(assurance=_HIGH, offline=("verifiers",)),
        conflict="A session that must be over after a time without use, and at sign-out, cannot be accepted by "
        "somebody who hears of neither for an hour.",
        gives="Verifying offline gives: connect the verifier, so that it follows the ledger.",
        becomes=("offline", "no"),
        sources=_on("NIST SP 800-63B-4: 2.2.3, 5.1, 5.2"),
    ),
    ConflictRule(
        id="no-offline-client-at-high-assurance",
        when=When(assurance=_HIGH, offline=("clients",)),
        conflict="A session that ends after an hour or fifteen minutes without use does not outlast days offline.",
        gives="Staying signed in offline gives: what is on the device is protected by the device, and who comes back "
        "signs in again before anything is exchanged.",
        becomes=("offline", "no"),
        sources=_on("NIST SP 800-63B-4: 2.2.3, 2.3.3, 5.2"),
    ),
    ConflictRule(
        id="sign-out-at-once-at-high-assurance",
        when=When(assurance=_HIGH, sign_out=("a-minute", "minutes", "an-hour")),
        conflict="At these levels what binds a session is void when the user signs out, not some time later.",
        gives="The delay gives: sign-out bites at once.",
        becomes=("sign_out", "at-once"),
        sources=_on("NIST SP 800-63B-4: 5.1; ASVS 5.0: 7.4.1"),
    ),
    ConflictRule(
        id="no-static-hosting-at-high-assurance",
        when=When(
            assurance=_HIGH, clients=("spa",), hosts=_ELSEWHERE, backend=False, sign_in=("here", "provider")
        ),
        conflict="Without a backend of its own, a single-page app on another host must hold tokens where any script "
        "in it can take them. That is not recommended for applications like this one.",
        gives="Static hosting gives: put a small backend on the app's host.",
        becomes=("backend", True),
        sources=_on("RFC 10017: 6.1, 6.3.4; NIST SP 800-63B-4: 5.1"),
    ),
    ConflictRule(
        id="sign-out-reaches-nobody-offline",
        when=When(offline=("verifiers",), sign_out=("at-once", "a-minute", "minutes")),
        conflict="Who verifies without a connection for an hour cannot hear of a sign-out for an hour.",
        gives="The quick sign-out gives, for these verifiers alone: there a token is good until it expires. Here, and "
        "at services that are connected, it is refused at once all the same. If that is not good enough, connect them.",
        becomes=("sign_out", "an-hour"),
        sources=_on("ASVS 5.0: 7.4.1; RFC 9068: 4"),
    ),
)

# --- the credential for each client: the first row that holds -----------------------------------------------------

CHOICES: tuple[CredentialRule, ...] = (
    CredentialRule(
        id="static-pages-behind-a-proxy",
        when=When(clients=_BROWSERS, sign_in=("proxy",)),
        credential=carry.PROXY_SESSION,
        reason="There are files to shield and no accounts to keep. The proxy that serves them can ask by itself; an "
        "account system would be one more thing to run.",
        sources=_on("RFC 10017: 7.1"),
    ),
    CredentialRule(
        id="provider-tokens",
        when=When(clients=("mobile", "cli", "agent"), sign_in=("provider",)),
        credential=carry.PROVIDER_TOKENS,
        reason="Who proves the user issues the token: where the provider is the only one who signs people in, its own "
        "authorization server is the simplest issuer for clients that cannot keep a cookie.",
        sources=_on("RFC 9700: 2.1.1, 2.3; RFC 9068: 4"),
    ),
    CredentialRule(
        id="provider-tokens-in-the-page",
        when=When(clients=("spa",), sign_in=("provider",), hosts=_ELSEWHERE, backend=False),
        credential=carry.PROVIDER_TOKENS,
        reason="Static hosting leaves nothing else, and it is the weakest pattern for browsers: keep the tokens in "
        "memory. A small backend on the app's host would keep them out of the page.",
        sources=_on("RFC 10017: 6.3, 6.3.4, 8.4"),
    ),
    CredentialRule(
        id="provider-then-own-session",
        when=When(clients=_BROWSERS, sign_in=("provider",)),
        credential=carry.FRAMEWORK_SESSION,
        reason="The provider proves who somebody is, once. What follows is a session of your own on the app's host, "
        "and for that a cookie is enough, which scripts cannot read.",
        sources=_on("OpenID Connect Core 1.0: 3.1; RFC 10017: 7.1, 6.1.4"),
    ),
    CredentialRule(
        id="pages-on-one-host",
        when=When(clients=("browser",), sign_in=_HERE, hosts=("one",)),
        credential=carry.SESSION_COOKIE,
        reason="The browser keeps it and sends it by itself, scripts cannot read it, it says nothing about anybody, "
        "and the server can end it at once. There is nothing that a token would do better here.",
        sources=_on("RFC 10017: 7.1; NIST SP 800-63B-4: 5.1.1; ASVS 5.0: 3.3.4, 7.4.1"),
    ),
    CredentialRule(
        id="pages-on-several-hosts",
        when=When(clients=("browser",), sign_in=_HERE, hosts=_ELSEWHERE),
        credential=carry.APP_SESSION,
        reason="A cookie belongs to one host, and should. Each app signs people in by a redirect, which nobody who is "
        "signed in notices, and keeps its own cookie; a cookie for a whole domain would give each app the others'.",
        sources=_on("OpenID Connect Core 1.0: 3.1; RFC 10017: 6.1.3.2; NIST SP 800-63B-4: 5.1.1"),
    ),
    CredentialRule(
        id="page-app-on-one-host",
        when=When(clients=("spa",), sign_in=_HERE, hosts=("one",)),
        credential=carry.SESSION_COOKIE,
        reason="The app and what it calls share a host. OAuth would replace session management by something more "
        "complicated, and put tokens where a script can take them; the cookie cannot be read.",
        sources=_on("RFC 10017: 7.1, 6.1.4; ASVS 5.0: 3.3.4"),
    ),
    CredentialRule(
        id="page-app-with-a-backend",
        when=When(clients=("spa",), sign_in=_HERE, hosts=_ELSEWHERE, backend=True),
        credential=carry.GATEWAY_SESSION,
        reason="Whatever a script can read, injected script can steal. With a backend on the app's host there is no "
        "token in the browser at all; it is the pattern that is recommended for business and personal data.",
        sources=_on("RFC 10017: 6.1, 6.1.4, 6.1.3.6; ASVS 5.0: 10.1.1"),
    ),
    CredentialRule(
        id="page-app-without-a-backend",
        when=When(clients=("spa",), sign_in=_HERE, hosts=_ELSEWHERE, backend=False),
        credential=carry.BROWSER_TOKENS,
        reason="Static hosting on another host leaves nothing else. It works, and it is the weakest of the three "
        "patterns for browsers: a small backend on the app's host would keep tokens out of the page.",
        sources=_on("RFC 10017: 6.3, 6.3.2.3, 6.3.4; RFC 9700: 2.1.1, 2.2.2"),
    ),
    CredentialRule(
        id="mobile-app",
        when=When(clients=("mobile",), sign_in=_HERE),
        credential=carry.NATIVE_TOKENS,
        reason="Sign-in in the system's browser keeps the password out of the app and shares the session that may be "
        "there. What is in an app can be read out of it, so it has no secret, and PKCE protects its codes.",
        sources=_on("RFC 8252: 6, 8.12; RFC 9700: 2.1.1, 2.2.2, 2.4; ASVS 5.0: 10.4.5"),
    ),
    CredentialRule(
        id="command-line-or-desktop",
        when=When(clients=("cli",), sign_in=_HERE),
        credential=carry.CLI_TOKENS,
        reason="A program on somebody's own computer can open their browser and listen on the loopback interface. It "
        "never sees the password, and a second factor works as soon as the site has one.",
        sources=_on("RFC 8252: 7.3; RFC 9700: 2.1.1, 2.2.2, 2.4"),
    ),
    CredentialRule(
        id="machine",
        when=When(clients=("machine",), sign_in=("here", "provider")),
        credential=carry.MACHINE_KEY,
        reason="No person is there, so there is no session to keep. A key never travels, unlike a secret, and what "
        "the server stores of it is worth nothing to a thief. Who signs people in has no part in it.",
        sources=_on("RFC 6749: 4.4; RFC 7523: 2.2; RFC 9700: 2.5; ASVS 5.0: 10.4.16"),
    ),
    CredentialRule(
        id="agent",
        when=When(clients=("agent",), sign_in=_HERE),
        credential=carry.AGENT_TOKENS,
        reason="An agent acts for a person, at a server that it has not heard of before. So it registers itself, the "
        "person agrees to what it may do there, and the token is good for nothing else.",
        sources=_on("MCP 2026-07-28: Token Audience Binding and Validation; ASVS 5.0: 10.4.7, 10.7.1"),
    ),
)

# --- how whoever checks hears of the end ---------------------------------------------------------------------------

CHECKS: tuple[StatementRule, ...] = (
    StatementRule(
        id="app-checks-by-itself",
        when=When(sign_in=_HERE, nobody_else_verifies=True),
        title="The app checks in memory",
        text="Each process knows the ledger. A session that has ended is refused by the next request, and one that "
        "has not is answered without a question to the database.",
        sources=_on("ASVS 5.0: 7.4.1"),
    ),
    StatementRule(
        id="services-follow-the-ledger",
        when=When(sign_in=_HERE, verifiers=("services",), offline=_CONNECTED),
        title="Your services follow the ledger",
        text="coatcheck.verifier checks tokens in memory, and hears of every end within milliseconds over one open "
        "connection. It is the denylist that you would have built. Give it that service's audience.",
        sources=_on("ASVS 5.0: 7.4.1, 8.3.2, 9.2.3; RFC 8725: 3.9"),
    ),
    StatementRule(
        id="services-refuse-when-cut-off",
        when=When(sign_in=_HERE, verifiers=("services",), sign_out=("at-once",), offline=_CONNECTED),
        title="A service that is cut off must refuse",
        text="Unless told otherwise, a verifier that has lost the ledger accepts tokens until they expire. "
        "max_staleness makes it refuse instead: that is what at once means when something breaks.",
        sources=_on("ASVS 5.0: 7.4.1"),
    ),
    StatementRule(
        id="services-take-the-cookie",
        when=When(sign_in=_HERE, hosts=("one",), clients=_BROWSERS, verifiers=("services",)),
        title="Services on the same host take the cookie",
        text='Verifier(…, cookies="session") asks the server once what a session cookie stands for, and then checks '
        "it in memory like a token. It checks where requests come from, too.",
        sources=_on("RFC 7662: 4; ASVS 5.0: 3.5.1"),
    ),
    StatementRule(
        id="a-token-beside-the-cookie",
        when=When(sign_in=_HERE, hosts=("one",), clients=_BROWSERS, offline=("verifiers",)),
        title="Browsers carry a token beside their cookie",
        text="A cookie means nothing to who cannot ask. For verifiers on the same host, token_cookie puts an access "
        "token into an HttpOnly cookie of its own.",
        sources=_on("RFC 9068: 4; ASVS 5.0: 3.3.4"),
    ),
    StatementRule(
        id="cookies-are-not-for-third-parties",
        when=When(sign_in=_HERE, hosts=("one",), clients=_BROWSERS, verifiers=("third-parties",)),
        title="A third party never sees the cookie",
        text="Register whom your users go to as a client: they sign in there by OpenID Connect. What calls them "
        "otherwise is your backend, with a token.",
        sources=_on("OpenID Connect Core 1.0: 3.1; RFC 10017: 6.1.3.2"),
    ),
    StatementRule(
        id="services-behind-services",
        when=When(sign_in=_HERE, verifiers=("downstream",)),
        title="Services behind services get tokens of their own",
        text="A token is for one API: do not hand it on to another. Token exchange would pass the user on with less "
        "power; Coatcheck does not have it yet. Until then, services that trust each other can share one audience, "
        "and any other is called with the caller's own machine token, which stands for no user.",
        sources=_on("RFC 8693: 1.1, 4.1; RFC 9700: 2.3; ASVS 5.0: 8.3.3, 9.2.3"),
    ),
    StatementRule(
        id="third-parties-ask",
        when=When(sign_in=_HERE, verifiers=("third-parties",), sign_out=("at-once",)),
        title="Third parties get a key and ask",
        text="At once, somebody must be asked or told: give each partner a service key. With it they ask about a "
        "token (introspection), or follow the ledger as your own services do. Answers that they cache make it slower.",
        sources=_on("RFC 7662: 4; ASVS 5.0: 7.4.1"),
    ),
    StatementRule(
        id="third-parties-read-a-list",
        when=When(sign_in=_HERE, verifiers=("third-parties",), sign_out=("a-minute",)),
        title="Third parties read a status list",
        text="A public list tells by one bit whether a token was revoked, to anybody, without a key, and you do not "
        "learn which. It is good for a minute, and makes each token some 140 characters longer.",
        sources=_on("Token Status List, draft 21: 13.7; ASVS 5.0: 7.4.1"),
    ),
    StatementRule(
        id="third-parties-wait-for-expiry",
        when=When(
            sign_in=_HERE, verifiers=("third-parties",), sign_out=("minutes", "an-hour"), offline=_CONNECTED
        ),
        title="Third parties need the public keys only",
        text="They verify issuer, audience, type, signature and expiry with the keys at the server's jwks_uri, and "
        "know nothing of a sign-out. The life of a token is the delay: five minutes unless you set another.",
        sources=_on("RFC 9068: 4; RFC 8725: 3.8, 3.9, 3.11"),
    ),
    StatementRule(
        id="offline-verifiers-take-the-keys-along",
        when=When(sign_in=_HERE, offline=("verifiers",)),
        title="Offline verifiers take the public keys along",
        text="They verify everything but revocation, so the lifetime of a token is how long a lost one works: an hour "
        "here. Fetch keys whenever there is a connection: they change every 90 days.",
        sources=_on("RFC 9068: 4; RFC 8725: 3.8, 3.9, 3.11"),
    ),
    StatementRule(
        id="apps-are-told-of-sign-out",
        when=When(sign_in=_HERE, clients=("browser",), hosts=_ELSEWHERE),
        title="Each app is told of a sign-out",
        text="The app's own session ends when the server calls its back-channel logout address, at once and again "
        "until it answers. The app must have such an address, and end its session by the sid that it gets.",
        sources=_on("OpenID Connect Back-Channel Logout 1.0: 2.5; ASVS 5.0: 10.5.5"),
    ),
    StatementRule(
        id="provider-tokens-live-until-they-expire",
        when=When(sign_in=("provider",), clients=("mobile", "cli", "agent", "spa")),
        title="Your API verifies the provider's tokens",
        text="coatcheck.jose verifies them with the provider's keys: issuer, audience, type, signature, expiry. "
        "Whether the user has signed out there, only the provider knows: where that must bite before a token expires, "
        "ask its introspection about each token.",
        sources=_on("RFC 9068: 4; RFC 8725: 3.8, 3.9, 3.11; RFC 7662: 4"),
    ),
    StatementRule(
        id="machine-tokens-follow-the-ledger",
        when=When(sign_in=("provider",), clients=("machine",), verifiers=("services", "downstream")),
        title="Services verify machines' tokens by the ledger",
        text="Machines are Coatcheck's clients, whoever signs people in. coatcheck.verifier checks their tokens in "
        "memory and hears of a machine that is switched off within milliseconds.",
        sources=_on("ASVS 5.0: 7.4.1, 9.2.3; RFC 8725: 3.9"),
    ),
    StatementRule(
        id="data-stays-on-the-server",
        when=When(sign_in=("here", "provider"), hidden=True),
        title="What clients must not read stays on the server",
        text="Everybody who carries a signed token can read it. Look the data up by the user's identifier where it is "
        "needed: to leave it out is simpler than to encrypt it. Coatcheck's access tokens hold identifiers and "
        "scopes, no address and no name. Do not ask for more in ID tokens.",
        sources=_on("RFC 7519: 12; RFC 9068: 6; NIST SP 800-63B-4: 5.1.1"),
    ),
    StatementRule(
        id="hidden-data-that-must-travel",
        when=When(sign_in=_HERE, hidden=True, offline=("verifiers",)),
        title="What must travel to an offline verifier is encrypted to it",
        text="The server's access tokens are signed, not encrypted. Make a token of your own beside it with "
        "coatcheck.jose, signed first and then encrypted to that verifier's key.",
        sources=_on("RFC 7519: 11.2, 12"),
    ),
    StatementRule(
        id="offline-clients-refresh-when-they-are-back",
        when=When(sign_in=_HERE, offline=("clients",), clients=("mobile", "cli")),
        title="Offline, the app works on what it has",
        text="A token is no permission to read the device's own data: guard that by the device. With offline_access "
        "the app's session outlives the browser's, and a refresh token that may stay unused for a month gets new "
        "tokens when the connection is back.",
        sources=_on("RFC 9700: 4.14.2; NIST SP 800-63B-4: 5.1.2"),
    ),
    StatementRule(
        id="offline-pages-keep-no-token",
        when=When(sign_in=("here", "provider"), offline=("clients",), clients=_BROWSERS),
        title="Offline, a page keeps data, not credentials",
        text="A service worker may keep pages and data for a time without a connection. It needs no token for that: "
        "the cookie is there when the connection is back, if the session has not ended for lack of use.",
        sources=_on("RFC 10017: 8.5"),
    ),
)

# --- what can still happen -----------------------------------------------------------------------------------------

THREATS: tuple[ThreatRule, ...] = (
    ThreatRule(
        id="script-acts-for-the-user",
        credentials=_COOKIES,
        threat="Injected script cannot read the cookie, but it can act with it while the page is open.",
        do="Escape what you show, forbid inline script by a Content-Security-Policy, and ask for a recent sign-in "
        "before what is grave.",
        sources=_on("RFC 10017: 5.1.4, 5.2.3; ASVS 5.0: 7.5.3"),
    ),
    ThreatRule(
        id="forged-requests",
        credentials=(carry.SESSION_COOKIE, carry.GATEWAY_SESSION),
        threat="Browsers send the cookie with requests that another page makes them send.",
        do="Coatcheck refuses those, sibling subdomains' too, by Sec-Fetch-Site and Origin. Your part: GET must not "
        "change anything.",
        sources=_on("ASVS 5.0: 3.5.1, 3.5.3; RFC 10017: 6.1.3.3"),
    ),
    ThreatRule(
        id="forged-requests-elsewhere",
        credentials=(carry.APP_SESSION, carry.FRAMEWORK_SESSION),
        threat="Browsers send the cookie of your framework's session with requests that another page makes them send.",
        do="Switch on your framework's defence against forged requests, and let GET change nothing.",
        sources=_on("ASVS 5.0: 3.5.1, 3.5.3; RFC 10017: 6.1.3.3"),
    ),
    ThreatRule(
        id="stolen-cookie",
        credentials=(carry.SESSION_COOKIE, carry.GATEWAY_SESSION),
        threat="Malware on the computer, or somebody at an unlocked one, uses the session as the user.",
        do="It ends by itself after a time without use (session_profile), the user sees and ends it on the devices "
        "page, and you with coatcheck revoke.",
        sources=_on("ASVS 5.0: 7.5.2; NIST SP 800-63B-4: 5.2"),
    ),
    ThreatRule(
        id="cookie-session-ends-late",
        credentials=(carry.APP_SESSION, carry.FRAMEWORK_SESSION),
        threat="The app's own session goes on when the one at the provider has ended.",
        do="Take back-channel logout where it is offered, and give your session an end of its own.",
        sources=_on("OpenID Connect Back-Channel Logout 1.0: 2.5; NIST SP 800-63B-4: 5.2"),
    ),
    ThreatRule(
        id="gateway-leads-elsewhere",
        credentials=(carry.GATEWAY_SESSION,),
        threat="A backend that hands on whatever it is given can be led to another host, and the token with it.",
        do="Fix the host, and allow the paths and methods that the app needs.",
        sources=_on("RFC 10017: 6.1.3.6"),
    ),
    ThreatRule(
        id="tokens-taken-by-script",
        credentials=(carry.BROWSER_TOKENS,),
        threat="Injected script takes the tokens away, or fetches new ones in a hidden frame, and uses them elsewhere.",
        do="Keep them in memory, never in localStorage. Ask for few scopes. Better: give the app a backend. DPoP "
        "would bind tokens to a key; Coatcheck does not have it yet, and script in the page could use the key too.",
        sources=_on("RFC 10017: 5.1.2, 5.1.3, 8.4, 8.5; RFC 9449: 11.4"),
    ),
    ThreatRule(
        id="stolen-refresh-token",
        credentials=(carry.BROWSER_TOKENS, carry.NATIVE_TOKENS, carry.CLI_TOKENS, carry.AGENT_TOKENS),
        threat="A copied refresh token gets fresh tokens.",
        do="Coatcheck ends the client's session when one that was used comes back more than ten seconds later. Keep "
        "it where other programs cannot read it, and never log it.",
        sources=_on("RFC 9700: 2.2.2, 4.14.2; ASVS 5.0: 10.4.5"),
    ),
    ThreatRule(
        id="stolen-access-token",
        credentials=(
            carry.BROWSER_TOKENS,
            carry.NATIVE_TOKENS,
            carry.CLI_TOKENS,
            carry.MACHINE_KEY,
            carry.AGENT_TOKENS,
            carry.PROVIDER_TOKENS,
        ),
        threat="Whoever has an access token can use it until it expires or is revoked: it is bound to nobody.",
        do="Keep it out of addresses and logs, its life at minutes, its audience at one API. Binding tokens to a key "
        "(DPoP, mutual TLS) is not in Coatcheck yet.",
        sources=_on("RFC 9700: 2.2.1, 2.3, 4.10.1; RFC 9449: 1; ASVS 5.0: 10.3.5"),
    ),
    ThreatRule(
        id="another-app-poses-as-it",
        credentials=(carry.NATIVE_TOKENS,),
        threat="Another app on the phone claims the same scheme and takes the answer.",
        do="Use an https address that the app claims, not a scheme of its own. PKCE makes the code useless to others.",
        sources=_on("RFC 8252: 7.2, 8.6"),
    ),
    ThreatRule(
        id="another-program-poses-as-it",
        credentials=(carry.CLI_TOKENS, carry.AGENT_TOKENS),
        threat="Any program on that computer can listen on the loopback interface and pose as this one.",
        do="Coatcheck asks for consent each time, and shows where the answer goes. On a machine without a browser use "
        "a machine's key: the device grant is not in Coatcheck.",
        sources=_on("RFC 8252: 7.3, 8.6; RFC 8628: 1; ASVS 5.0: 10.7.1"),
    ),
    ThreatRule(
        id="leaked-machine-key",
        credentials=(carry.MACHINE_KEY,),
        threat="A key in an image, a repository or a backup is a key in other hands.",
        do="Mount it at run time, permit each machine its own scopes and no more, and replace keys: coatcheck client "
        "key ID makes a new one, coatcheck client disable ID voids what was issued.",
        sources=_on("RFC 9700: 2.5; ASVS 5.0: 10.4.11, 10.4.16"),
    ),
    ThreatRule(
        id="agent-is-talked-into-it",
        credentials=(carry.AGENT_TOKENS,),
        threat="What an agent reads can make it do what its user never asked for, with all that the token allows.",
        do="Give each tool a scope, let consent name them, offer few that write, and ask for a recent sign-in before "
        "what is grave. The user takes access back at /auth/applications.",
        sources=_on("MCP 2026-07-28: Access Token Privilege Restriction; ASVS 5.0: 10.4.11, 7.5.3"),
    ),
    ThreatRule(
        id="strangers-register",
        credentials=(carry.AGENT_TOKENS,),
        threat="With open registration anybody can make a client, and give it a well-known name.",
        do="The consent page says that nobody has verified it and shows the host that the answer goes to. Where you "
        'know the agents, hand out initial access tokens instead: registration = "token".',
        sources=_on("MCP 2026-07-28: Client ID Metadata Document Security; ASVS 5.0: 10.4.7"),
    ),
    ThreatRule(
        id="stale-permissions",
        credentials=(
            carry.BROWSER_TOKENS,
            carry.NATIVE_TOKENS,
            carry.CLI_TOKENS,
            carry.MACHINE_KEY,
            carry.AGENT_TOKENS,
        ),
        when=When(verifiers=("third-parties",), sign_out=("minutes", "an-hour")),
        threat="A token says what was true when it was issued. Third parties go by that until it expires.",
        do="Keep its life short, or let them read the status list: Coatcheck revokes tokens whose permissions change.",
        sources=_on("ASVS 5.0: 8.3.2"),
    ),
    ThreatRule(
        id="files-around-the-proxy",
        credentials=(carry.PROXY_SESSION,),
        threat="Whoever reaches the files by another way is not asked: another host name, a cache, the storage itself.",
        do="Let the server of the files answer to the proxy only, and forbid caches to keep what they are given.",
        sources=_on("RFC 10017: 6.1.3.6"),
    ),
)

# --- where something else is right, or is needed besides -----------------------------------------------------------

INSTEAD: tuple[StatementRule, ...] = (
    StatementRule(
        id="proxy-instead",
        when=When(sign_in=("proxy",)),
        title="Not Coatcheck: the proxy that you have",
        text="For static pages before known people, basic authentication or a forward-auth program at the proxy is "
        "all it takes. Come back when there are accounts, an API, or a second kind of client.",
        sources=_on("RFC 10017: 7.1"),
    ),
    StatementRule(
        id="provider-instead",
        when=When(sign_in=("provider",), clients=("browser", "spa", "mobile", "cli", "agent")),
        title="Not Coatcheck: your framework and the provider",
        text="Coatcheck keeps accounts of its own and does not sign people in through other providers yet. If they "
        "are the only way in, use an OpenID Connect library and your framework's session. What is of use to you here "
        "is coatcheck.jose, which verifies the provider's tokens.",
        sources=_on("OpenID Connect Core 1.0: 3.1"),
    ),
    StatementRule(
        id="second-factor-elsewhere",
        when=When(sign_in=_HERE, assurance=_HIGH, clients=("browser", "spa", "mobile", "cli", "agent")),
        title="Not with Coatcheck alone: it has no second factor yet",
        text="The session limits of that level are here, and the anti-forgery token that it asks for. A second factor "
        "is not, and without one no session reaches it. Until there is one, let a provider that has them sign people "
        'in (sign_in = "provider").',
        sources=_on("NIST SP 800-63B-4: 2.2.1, 2.2.3, 2.3.3"),
    ),
)

# --- what can be done without --------------------------------------------------------------------------------------

UNNEEDED: tuple[StatementRule, ...] = (
    StatementRule(
        id="no-jwt",
        when=When(sign_in=_HERE, no_other_clients=_BROWSERS, hosts=("one",), nobody_else_verifies=True),
        title="You do not need JWTs",
        text="Nor any other token of Coatcheck's: a session cookie does all of it. It is 43 characters, can be ended "
        "at once, tells nothing, and cannot be read by scripts. Tokens are for clients without a cookie jar and for "
        "others who verify, and you have neither.",
        sources=_on("RFC 10017: 7.1; NIST SP 800-63B-4: 5.1.1"),
    ),
    StatementRule(
        id="no-jwt-for-services-on-the-host",
        when=When(
            sign_in=_HERE,
            no_other_clients=_BROWSERS,
            hosts=("one",),
            verifiers=("services",),
            no_other_verifiers=("services",),
            offline=_CONNECTED,
        ),
        title="You do not need JWTs, for your services either",
        text="They are on the same host and get the same cookie. Their verifier takes it, checks it in memory, and "
        "hears of its end within milliseconds.",
        sources=_on("RFC 10017: 7.1; RFC 7662: 4"),
    ),
    StatementRule(
        id="no-token-in-the-browser",
        when=When(sign_in=("here", "provider"), clients=("spa",), hosts=_ELSEWHERE, backend=True),
        title="You do not need tokens in the browser",
        text="Nor CORS with credentials: the page talks to its own host only, and the backend to the API.",
        sources=_on("RFC 10017: 6.1, 6.1.4"),
    ),
    StatementRule(
        id="no-refresh-token-for-machines",
        when=When(sign_in=("here", "provider"), clients=("machine",)),
        title="You do not need refresh tokens for machines",
        text="A machine asks again with its key. Nor do you need accounts for them: a machine is a client, not a user.",
        sources=_on("RFC 6749: 4.4.3"),
    ),
)
