"""A class at once: its handins, a report of each, and the class on paper."""
