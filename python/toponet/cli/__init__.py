"""Command line: parse, call, exit code."""
