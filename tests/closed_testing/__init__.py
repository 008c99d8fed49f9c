"""Tests of closed testing. A package, so that they can share helpers by relative import."""
