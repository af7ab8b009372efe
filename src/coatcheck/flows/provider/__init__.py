"""The provider: OAuth 2.1 and OpenID Connect on top of sessions.

An authorization request, sign-in, consent and its answer go through one dispatcher over stored state; the grants of the
token endpoint share their phases. What a client gets comes from a session of its own, below the one in which the user
granted it: it is ended by name, in the ledger, like any other.
"""
