"""The wire: Celwright's requests, events and faults as gRPC carries them. Nothing else in the daemon knows gRPC."""
