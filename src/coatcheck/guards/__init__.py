"""What a protected service puts before its routes: one module for each framework, all with the same words.

There is no door: import the module of your framework. They verify with ``coatcheck.verifier``.
"""
