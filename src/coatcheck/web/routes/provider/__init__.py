"""The endpoints of OAuth and OpenID Connect, one file for each."""
