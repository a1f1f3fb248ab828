"""Written by proto/generate.py from celwright.proto; change that file instead."""
