"""What runs in the submission's own process: it drives the student's code and answers with what came of it.

It is told inputs alone and never sees an expected value. Nobody imports this room: the sandbox starts `serve` as a
program, and what both sides must know stands in `sandbox/wire`, all that is read here of the other rooms.
"""
