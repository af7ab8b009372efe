"""Mail: from a message of the flows to a delivered letter.

``messages`` writes it out, ``outbox`` seals and queues it, ``delivery`` sends what is queued, and ``smtp`` and
``development`` are the two ways to send. Addresses in links come from the settings alone, never from a request.
"""
