"""One small complete application per contender, each with the same route: ``GET /me``, which answers ``{"email": …}``.

Every function without an underscore that takes nothing and returns an application is a factory that a server calls.
An application keeps its database in the working directory.
"""
