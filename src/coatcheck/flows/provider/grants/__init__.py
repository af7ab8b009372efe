"""The grants of the token endpoint, one file for each.

They share their phases: the client has authenticated and may use the grant; then what it presents is loaded, decided
on, committed, and only then are tokens issued, of what the transaction has read.
"""
