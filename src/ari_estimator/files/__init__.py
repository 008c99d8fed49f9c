"""From a path that a user gives to files that are whole."""
