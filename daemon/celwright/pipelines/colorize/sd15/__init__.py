"""Line art coloured by a Stable Diffusion 1.5 class base: loading, what is seen of a page, painters, sampling."""
