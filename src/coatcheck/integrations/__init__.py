"""Integrations: Coatcheck in the words of a framework. Thin: whatever is decided is decided elsewhere."""
