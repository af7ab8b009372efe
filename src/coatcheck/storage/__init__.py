"""Storages: where the records live. Each satisfies the domains' ports and passes the suite in ``conformance``.

It owns SQL, files and connections. It decides nothing: what a record means is the business of its domain.
"""
