"""Spark as the engine of a close."""
