"""Server-side sessions: the one source of truth from which every credential comes, and with which it dies.

It owns the session's life (idle and absolute limits, parallel limits, renewal at authentication, attached data), the
refresh token's rotation, the cookie's form and the proof that a request comes from the site itself. It knows nothing
of users beyond an identifier, of HTTP beyond the values of headers, or of any database.
"""
