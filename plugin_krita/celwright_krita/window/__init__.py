"""What the artist sees: the docker's panel and its parts, Qt only."""
