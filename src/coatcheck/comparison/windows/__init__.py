"""How long access lasts after it should have ended, design by design.

Tokens, verifiers, stores, the server and its services are real ones. Where it is a lifetime that decides, a short one
is run and its figures are multiplied: nobody waits for a day.
"""
