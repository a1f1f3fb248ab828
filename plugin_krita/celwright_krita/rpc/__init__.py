"""The wire: Celwright's requests, events and faults as gRPC carries them, in pure Python."""
