"""A run on paper: the table that a student reads, the forms that servers read, the watch on a submission's files.

The commands may enter; it reads every room but `child`.
"""
