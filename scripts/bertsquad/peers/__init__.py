"""This project beside other software, in one run: who does what, in which order, and the table."""
