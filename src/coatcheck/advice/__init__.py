"""Which credential for which client: from answers to plain questions to advice with its sources.

``rules`` is one table that people can read and argue with; ``deciding`` applies it, ``questions`` asks, ``case_file``
reads the answers out of TOML, and ``configuration`` turns advice into settings, commands and lines of code. All of it
is a function of the answers: no socket, no clock.
"""
