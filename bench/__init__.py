"""The benchmark: coatcheck beside its peers and the bare primitives, in one run.

Run it with ``python -m bench``; README.md says what is measured and how to read it.
"""
