"""The ledger of revocations: what ends access, in one order, for everybody who checks credentials.

There is no door: import what you need from its module.
"""
