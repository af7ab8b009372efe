"""Figures for Prometheus: what is counted, by whom, and who may read it.

There is no door: ``catalogue.CATALOGUE`` names all of them, and ``endpoint.MetricsEndpoint`` shows them.
"""
