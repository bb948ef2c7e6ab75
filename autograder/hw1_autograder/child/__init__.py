"""What runs in the submission's own process: it drives the student's code and answers with what came of it.

It gets inputs alone and never sees an expected value. Nobody imports this room, whose programs are `serve` and
`script`; of the other rooms it reads `sandbox/wire` and `sandbox/layers`, which hold what both sides must know.
"""
