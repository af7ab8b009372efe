"""The rules of OAuth 2.1 and OpenID Connect, over values: what a request may say, and what may be answered.

It opens no socket and reads no clock. Who asks, who answers and what is stored come together in ``flows.provider``.
Every rule is a file of its own in ``checks``; the order in which they are asked stands where they are put together.
"""
