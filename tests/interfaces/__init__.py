"""Tests of readers and writers. A package, so that they can share the making of files."""
