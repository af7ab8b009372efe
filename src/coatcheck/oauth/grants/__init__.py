"""What a grant is worth, decided over values: the codes, scopes and resources of the token endpoint."""
