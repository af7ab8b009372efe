"""What client metadata has to satisfy (RFC 7591 section 2, OpenID Connect Registration section 2): a rule in a file."""
