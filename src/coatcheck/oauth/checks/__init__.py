"""The checks of an authorization request, one file each.

Each takes the request's parameters and what is known of its client, and returns what the request means by them, or
raises the error that the specifications name. ``authorization_request`` has the order in which they are made.
"""
