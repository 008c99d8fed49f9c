"""Tests of resampling. A package, so that they can share helpers by relative import."""
