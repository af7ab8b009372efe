"""Flows: what a person or a client does, start to end, and the only place where accounts and sessions meet.

Each flow loads, decides by the domains' pure functions, and commits in one transaction. It takes and returns values;
it knows nothing of HTTP. Whatever ends access goes through ``ending``.
"""
