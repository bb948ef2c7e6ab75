"""What runs in the submission's own process: it drives the student's code and answers with what came of it.

It gets inputs alone and never sees an expected value. Nobody imports this room, `serve` and `script` are started as
programs; of the other rooms it reads `sandbox/wire` and `sandbox/layers` alone, which hold what both sides must know.
"""
