"""What a client can carry: the credentials that the rules choose from."""

from __future__ import annotations

from .model import Credential

__all__ = [
    "AGENT_TOKENS",
    "APP_SESSION",
    "BROWSER_TOKENS",
    "CLI_TOKENS",
    "CREDENTIALS",
    "FRAMEWORK_SESSION",
    "GATEWAY_SESSION",
    "MACHINE_KEY",
    "NATIVE_TOKENS",
    "PROVIDER_TOKENS",
    "PROXY_SESSION",
    "SESSION_COOKIE",
]

SESSION_COOKIE = Credential(
    id="session-cookie",
    name="The session cookie",
    how="A random identifier in a __Host- cookie: Secure, HttpOnly, SameSite. The server keeps the session, and only "
    "the identifier's digest.",
    guide="sessions",
)
APP_SESSION = Credential(
    id="app-session",
    name="A session cookie of each app, after sign-in at the Coatcheck server",
    how="Each app is an OpenID Connect client with an authorization code and PKCE. It keeps a session cookie of its "
    "own on its own host, and no token reaches the browser.",
    guide="provider",
)
GATEWAY_SESSION = Credential(
    id="gateway-session",
    name="A session cookie at the app's own backend, which calls the API with a token",
    how="The browser has a cookie for the app's host alone. The backend there (a backend for frontend) adds an access "
    "token of a few minutes to what it hands on to the API. Scripts never hold a token.",
    guide="sessions",
)
BROWSER_TOKENS = Credential(
    id="browser-tokens",
    name="An access token in the page's memory, with a refresh token that rotates",
    how="The app is a public client: authorization code with PKCE, no secret. The access token is a JWT that lives "
    "for minutes; each refresh token works once.",
    guide="clients",
)
NATIVE_TOKENS = Credential(
    id="native-tokens",
    name="An access token, and a refresh token in the system's key store",
    how="Authorization code with PKCE in the system's browser, no secret in the app. The access token is a JWT that "
    "lives for minutes; each refresh token works once.",
    guide="clients",
)
CLI_TOKENS = Credential(
    id="cli-tokens",
    name="An access token, and a refresh token in the system's key store, through a loopback redirect",
    how="Authorization code with PKCE: the program opens the browser and listens on 127.0.0.1, at any free port. The "
    "access token is a JWT that lives for minutes; each refresh token works once.",
    guide="clients",
)
MACHINE_KEY = Credential(
    id="machine-key",
    name="A key of its own, exchanged for an access token of a few minutes",
    how="client_credentials with private_key_jwt: the machine signs a statement of a minute with its private key. The "
    "server knows the public half only. There is no session and no refresh token.",
    guide="machines",
)
AGENT_TOKENS = Credential(
    id="agent-tokens",
    name="An access token for that one server, after the user's consent",
    how="The agent finds the server's metadata, registers itself, and sends the user through sign-in and consent: "
    "authorization code with PKCE and resource=. The token is good at that MCP server or API and nowhere else.",
    guide="mcp",
)
FRAMEWORK_SESSION = Credential(
    id="framework-session",
    name="The session cookie of your framework, after OpenID Connect at the provider",
    how="An OpenID Connect library of your framework does authorization code with PKCE at the provider, on the "
    "server, and then starts a session in a cookie: Secure, HttpOnly, SameSite. Throw the provider's tokens away "
    "unless you call its APIs.",
    ours=False,
)
PROVIDER_TOKENS = Credential(
    id="provider-tokens",
    name="The provider's own access token for your API",
    how="Authorization code with PKCE at the provider, by its library or any other. Your API verifies that token. The "
    "provider must issue tokens for your API; an ID token is none.",
    ours=False,
    guide="tokens",
)
PROXY_SESSION = Credential(
    id="proxy-session",
    name="Whatever the proxy asks for: its own sign-in cookie, or a password list",
    how="The proxy before the files asks (basic authentication over https for a few known people, or a forward-auth "
    "program that signs people in at a provider) and passes on only what is allowed.",
    ours=False,
)

CREDENTIALS: tuple[Credential, ...] = (
    SESSION_COOKIE,
    APP_SESSION,
    GATEWAY_SESSION,
    BROWSER_TOKENS,
    NATIVE_TOKENS,
    CLI_TOKENS,
    MACHINE_KEY,
    AGENT_TOKENS,
    FRAMEWORK_SESSION,
    PROVIDER_TOKENS,
    PROXY_SESSION,
)
