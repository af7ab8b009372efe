"""What is looked for: one function for each rule, and ``table``, which says of each how bad it is and what to do."""
