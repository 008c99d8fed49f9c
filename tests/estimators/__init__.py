"""Tests of the estimators. A package, so that they can share helpers by relative import."""
