"""Reading and writing of results."""
