"""The provider suite: an authorization server's endpoints in coatcheck and in its peers, one process on one core."""
