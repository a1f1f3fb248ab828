"""Line art into flat colour: by hints, by references, by a sampled picture."""
