"""How clients show who they are (RFC 6749 section 2.3, RFC 7523 section 2.2), one file for each method.

``presented`` finds the one method that a request uses, ``registered`` asks whether it is the client's own; then the
method's file says whether what was presented proves it. Nothing here looks anything up.
"""
