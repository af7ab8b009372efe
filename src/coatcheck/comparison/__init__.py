"""Sessions and tokens side by side, measured on this machine with the user's own claims.

``model`` is the report, ``run`` makes it, ``page`` shows it. The credentials, checks, stores and ledgers are real ones.
There is no door: the command line calls ``run.compare``.
"""
