"""Sign-in over HTTP: the ASGI application with its routes, its pages and its response headers.

This part turns requests into calls of :mod:`coatcheck.flows` and their outcomes into pages or JSON. It decides
nothing about accounts or sessions by itself.
"""
