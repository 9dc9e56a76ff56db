"""Comparison of recurrent layers trained under equal conditions."""
