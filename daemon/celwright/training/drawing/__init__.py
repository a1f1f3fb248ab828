"""Characters and things with an identity, drawn in any view: what pairs are made of."""
