"""Looking through recorded traffic, saved headers or a token for what should not be there. Nobody is contacted.

``reading`` turns a file into exchanges, ``evidence`` gathers the cookies and tokens in them, and each of the ``rules``
looks at that and says what it finds. All of it is a function of the file's octets: no socket, no clock.
"""
