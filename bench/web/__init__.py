"""The web suite: the same protected route in coatcheck and in its peers, each served by one process on one core."""
