"""SC-MILC trained beside a Stable Diffusion 1.5 class base."""
