"""Check paths from users, read input files, and write complete output files."""
