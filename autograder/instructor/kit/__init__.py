"""What is handed out: the starter, and the packages for Autolab and Gradescope."""
