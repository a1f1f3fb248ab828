"""A finished picture into its four layers: what comes before, with and after the network."""
