"""Where Krita itself is imported: the canvas in a real Krita, the menu, the docker."""
