"""A run: where expected values come from, the verdict on every problem, what fails because of what, the findings.

`report` and the commands may enter; it reads `diagnosis`, `homework` and `sandbox`.
"""
