"""What is asked: the problems with their points, the inputs of every case, the findings.

Tables and inputs alone, which every other room may read; this one reads none.
"""
