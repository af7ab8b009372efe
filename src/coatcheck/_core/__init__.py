"""The foundation: the only place that touches time or randomness, and the strict codecs.

It owns base64url, JSON, the clock and the source of entropy. It knows nothing of tokens, sessions or users, and it
raises only its own small ``ValueError`` subclasses, which the packages above turn into their designed errors.
"""
