"""A Stable Diffusion 1.5 class base with its ControlNet and IP-Adapter, or with SC-MILC's modules beside its UNet."""
