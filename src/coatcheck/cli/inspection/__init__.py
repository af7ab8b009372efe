"""Looking into a token without believing it: reading, explaining, weighing, warning. Nothing here verifies.

Every part is a function from values to values; ``rendering`` alone knows of colours. A token that no verifier would
accept can still be shown here, which is the point: so this reads leniently, says what was wrong, and its result is
good for nothing but reading.
"""
