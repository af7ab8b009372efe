"""Accounts: people, their e-mail addresses and passwords, one-use links, and the limits on guessing.

It owns what a user is, what a good password is and how it is hashed, what an e-mail address is, and how often
something may be tried. It knows nothing of sessions, tokens, HTTP or any database.
"""
