"""What the course claims of its own code, measured: what the grader notices and names, how fast the library is."""
