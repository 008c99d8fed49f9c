"""Tests of inference on one map."""
