"""The live demonstration: a server, two services that verify by themselves, and how soon both refuse.

There is no door: ``demonstration.run`` is what the command line calls.
"""
