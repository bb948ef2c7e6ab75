"""One result against what was expected, in words: how the values differ, where an exception came from, which mistake.

It knows of no grading, no points and no other problem. `grading` and `report` may enter; it reads `homework` and
`sandbox`.
"""
