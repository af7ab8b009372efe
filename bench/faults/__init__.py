"""Faults of nodes, stores, network, disk and clock, under clients that remember what they were told."""
