"""The stores in which sessions may lie: asked with each request, through the usual drivers.

What is put there is put into a table or under keys of a name that nobody else has, and is removed again.
"""
