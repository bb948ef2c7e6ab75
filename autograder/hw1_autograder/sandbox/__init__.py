"""The grader's end of a submission's process: its files as data, its messages, what became of an exercise.

No line of a submission runs here. Every room but `homework` may enter, and `child` finds its messages in `wire` and the
homework's layers in `layers`; this room reads no other.
"""
