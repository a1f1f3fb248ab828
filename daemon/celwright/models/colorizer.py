"""The embedded colorizer: a U-Net that estimates the clean latents in noisy ones, told by line art what is drawn and by
references, hints, surroundings and a histogram what colour it has.

The trunk is SC-MILC (latent diffusion, structure guidance, instance features); hints come in by Concatenated Spatial
Attention, selection and context by StencilTorch's loop. ``prepare`` reads the conditions once, ``forward`` is called at
every step. Knows latents, not the autoencoder; nor the sampler.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.color_blocks import HintBlock, StructureAttention, StructureModulation, TimedBlock, near_zero
from celwright.models.decomposer import Block, PixelNorm
from celwright.models.reference_colors import ReferenceAttention, ReferenceReader, References, StructureEncoder

CONDITIONS = ("references", "hints", "context", "histogram")  # what may be left out


@dataclass(frozen=True, eq=False)
class Conditions:
    """What is asked for, B pictures at once; H and W multiples of 32. Absent is None, or for a single picture of the
    batch all zeros (``context``: a selection of all ones).

    ``line`` (B, 1, H, W): ink, 1 = black. ``references`` (B, R, 5, H', W'): RGB with its lines, ink, mask; ``regions``
    (B, R, 1, H, W): where each one's instance stands (None: anywhere). ``hints`` (B, 4, H, W): RGB and mask.
    ``context`` (B, C, H / 8, W / 8): latents of what is painted already; ``selection`` (B, 1, H, W): 1 = paint here
    (None: everywhere). ``histogram`` (B, bins), sums to 1. All but latents 0..1.
    """

    line: Tensor
    references: Tensor | None = None
    regions: Tensor | None = None
    hints: Tensor | None = None
    context: Tensor | None = None
    selection: Tensor | None = None
    histogram: Tensor | None = None

    def without(self, name: str, rows: Tensor | None = None) -> "Conditions":
        """The same but for one of ``CONDITIONS``, left out in the ``rows`` (B,) that are true, by default in all."""

        def kept(value: Tensor | None, gone: float = 0.0) -> Tensor | None:
            if value is None:
                return None
            if rows is None:
                return torch.full_like(value, gone)
            return torch.where(rows.view(-1, *[1] * (value.ndim - 1)), torch.full_like(value, gone), value)

        if name == "context":
            return replace(self, context=kept(self.context), selection=kept(self.selection, gone=1.0))
        changed: dict[str, Any] = {name: kept(getattr(self, name))}
        return replace(self, **changed)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Conditions as the U-Net takes them at every step: ``planes`` (B, C, h, w) join the noisy latents; ``edges`` is
    E' (B, 1, h, w); ``hints`` are features at 1/16; ``histogram`` (B, E) joins the time; the rest are the references'
    (see ``References``), with keys and values of their tokens."""

    planes: Tensor
    edges: Tensor
    hints: Tensor
    histogram: Tensor
    keys: Tensor
    values: Tensor
    memory_bias: Tensor
    reach: Tensor
    carried: Tensor
    confidence: Tensor
    gates: Tensor
    present: Tensor

    def repeated(self, count: int) -> "Prepared":
        """Each picture ``count`` times in a row: variations share what was prepared."""
        return Prepared(*(getattr(self, field.name).repeat_interleave(count, 0) for field in fields(self)))


def edge_map(ink: Tensor) -> Tensor:
    """E (B, 1, H, W), 0..1: the strength of Sobel's gradient of the ink, 1 = the edge of a full black line (eq. 16)."""
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], device=ink.device) / 4
    kernel = torch.stack([across, across.T])[:, None]
    slopes = F.conv2d(F.pad(ink.float(), (1, 1, 1, 1), mode="replicate"), kernel)
    return slopes.square().sum(1, keepdim=True).sqrt().clamp(max=1)


def time_embedding(t: Tensor, width: int) -> Tensor:
    """(B, width) sines and cosines of the timestep (Vaswani et al. 2017)."""
    rates = torch.exp(-math.log(10_000) * torch.arange(width // 2, device=t.device) / (width // 2))
    angles = t.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


class Colorizer(nn.Module):
    """``widths`` are the U-Net's channels at 1/8, 1/16, 1/32, ``structure`` those of the structure encoder at 1/4 to
    1/32 (its 1/16 has the U-Net's width). The switches leave out a part for the ablation table (SC-MILC, table III):
    ``sgm`` structure guidance, ``ismff`` instance features, ``correspondence`` (not in the paper) the carrying of
    colours from another pose, ``lgb`` the diffusion: then latents come in one step, from conditions alone."""

    def __init__(
        self,
        latent_channels: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        structure: Sequence[int],
        heads: int,
        key: int,
        appearance: int,
        hints: int,
        embedding: int,
        histogram_bins: int,
        sgm: bool = True,
        ismff: bool = True,
        correspondence: bool = True,
        lgb: bool = True,
    ) -> None:
        super().__init__()
        near, middle, far = widths
        self.lgb = lgb
        self.latent_channels, self.histogram_bins, self.embedding = latent_channels, histogram_bins, embedding
        self.structure = StructureEncoder(structure, heads)
        self.references = ReferenceReader(structure, key, appearance, ismff, correspondence)
        self.hints = nn.Sequential(nn.Conv2d(16, hints, 3, padding=1), Block(hints))
        self.hints16 = nn.Sequential(nn.Conv2d(hints, 2 * hints, 2, stride=2), Block(2 * hints))
        seen = structure[1] + appearance + 3 + 1 + hints + latent_channels + 2
        self.planes = nn.Conv2d(seen, near, 3, padding=1)
        self.histogram = nn.Sequential(
            nn.Linear(histogram_bins, embedding), nn.SiLU(), nn.Linear(embedding, embedding, bias=False)
        )
        if lgb:
            self.time = nn.Sequential(nn.Linear(embedding, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
            self.inward = nn.Conv2d(latent_channels, near, 3, padding=1)

        def level(width: int, count: int) -> nn.ModuleList:
            return nn.ModuleList(TimedBlock(width, embedding) for _ in range(count))

        self.down8, self.down16, self.bottom = (level(w, n) for w, n in zip(widths, blocks, strict=True))
        self.to16 = nn.Conv2d(near, middle, 2, stride=2)
        self.to32 = nn.Conv2d(middle, far, 2, stride=2)
        self.up16, self.up8 = level(middle, blocks[1]), level(near, blocks[0])
        self.from32 = nn.Sequential(nn.Conv2d(far, 4 * middle, 1), nn.PixelShuffle(2))
        self.from16 = nn.Sequential(nn.Conv2d(middle, 4 * near, 1), nn.PixelShuffle(2))
        self.modulations = nn.ModuleList(StructureModulation() for _ in range(5)) if sgm else None
        self.attention16 = StructureAttention(middle, heads, sgm)
        self.attention32 = StructureAttention(far, heads, sgm)
        self.hint_blocks = nn.ModuleList(HintBlock(middle, 2 * hints) for _ in range(2))
        self.reference_attention = ReferenceAttention(middle, heads) if correspondence else None
        out = latent_channels + int(correspondence)  # the last says how far the brought colours are taken as they are
        self.head = nn.Sequential(PixelNorm(near), nn.SiLU(), near_zero(nn.Conv2d(near, out, 3, padding=1)))
        self.brought = nn.Conv2d(3, latent_channels, 1) if correspondence else None

    def prepare(self, conditions: Conditions) -> Prepared:
        """Everything that does not change from step to step."""
        line = conditions.line
        batch, _, height, width = line.shape
        new = line.new_zeros
        selection = new(batch, 1, height, width) + 1 if conditions.selection is None else conditions.selection
        context = conditions.context
        context = new(batch, self.latent_channels, height // 8, width // 8) if context is None else context
        outside = 1 - F.max_pool2d(selection, 8)  # cells of which nothing will be painted
        edges = F.avg_pool2d(edge_map(line), 8)  # E', eq. 17
        structure, _ = self.structure(line)
        read = self._read(conditions, structure)
        hints = self.hints(self._hint_cells(conditions.hints, line))
        planes = self.planes(
            torch.cat([
                structure, read.fused, read.carried - 0.5, read.confidence, hints, context * outside, outside,
                F.avg_pool2d(selection, 8),
            ], 1)
        )  # fmt: skip
        histogram = new(batch, self.histogram_bins) if conditions.histogram is None else conditions.histogram
        if self.reference_attention is None:
            keys = values = read.memory
        else:
            keys, values = self.reference_attention.keys_and_values(read.memory)
        return Prepared(
            planes, edges, self.hints16(hints), self.wish(histogram), keys, values,
            read.memory_bias, F.avg_pool2d(read.reach, 2), read.carried, read.confidence, read.gates, read.present,
        )  # fmt: skip

    def wish(self, histogram: Tensor) -> Tensor:
        """(B, E) what a histogram (B, bins) adds to the time: ``Prepared.histogram``; nothing where it is all 0."""
        known = (histogram.sum(1, keepdim=True) > 0).float()
        wished: Tensor = self.histogram(histogram.sqrt()).float() * known
        return wished

    def _read(self, conditions: Conditions, structure: Tensor) -> References:
        line, references, regions = conditions.line, conditions.references, conditions.regions
        if references is None:  # one that is masked out altogether
            references = line.new_zeros(len(line), 1, 5, 32, 32)
            regions = None
        if regions is None:
            regions = torch.ones_like(line)[:, None].expand(-1, references.shape[1], -1, -1, -1)
        read: References = self.references(self.structure, structure, references, regions)
        return read

    @staticmethod
    def _hint_cells(hints: Tensor | None, line: Tensor) -> Tensor:
        """(B, 16, h, w): colour and presence of hints in each quarter of a latent cell, a one-pixel hint as clear as
        a big one."""
        if hints is None:
            return line.new_zeros(len(line), 16, line.shape[2] // 8, line.shape[3] // 8)
        color, mask = hints[:, :3], hints[:, 3:]
        there = F.max_pool2d(mask, 4)
        mean = F.avg_pool2d(color * mask, 4) / F.avg_pool2d(mask, 4).clamp(min=1e-4)
        return F.pixel_unshuffle(torch.cat([(mean - 0.5) * there, there], 1), 2)

    def forward(self, noisy: Tensor, t: Tensor, prepared: Prepared) -> Tensor:
        """The clean latents (B, C, h, w) estimated in ``noisy`` ones at timesteps ``t`` (B,)."""
        x8, embedding = prepared.planes, prepared.histogram
        if self.lgb:
            x8, embedding = x8 + self.inward(noisy), embedding + self.time(time_embedding(t, self.embedding))
        embedding = F.silu(embedding)
        edges8 = prepared.edges
        edges16, edges32 = F.avg_pool2d(edges8, 2), F.avg_pool2d(edges8, 4)
        x8 = self._guided(0, self._through(self.down8, x8, embedding), edges8)
        x16 = self._guided(1, self._through(self.down16, self.to16(x8), embedding), edges16)
        x16 = self.hint_blocks[0](self.attention16(x16, edges16), prepared.hints)
        x32 = self._guided(2, self._through(self.bottom, self.to32(x16), embedding), edges32)
        x16 = x16 + self.from32(self.attention32(x32, edges32))
        if self.reference_attention is not None:
            x16 = self.reference_attention(x16, prepared.keys, prepared.values, prepared.memory_bias, prepared.reach)
        x16 = self.hint_blocks[1](x16, prepared.hints)
        x16 = self._guided(3, self._through(self.up16, x16, embedding), edges16)
        x8 = self._guided(4, self._through(self.up8, x8 + self.from16(x16), embedding), edges8)
        clean: Tensor = self.head(x8).float()
        if self.brought is None:
            return clean
        clean, taken = clean[:, :-1], torch.sigmoid(clean[:, -1:]) * prepared.confidence.ne(0)
        brought: Tensor = self.brought(prepared.carried).float()
        return clean + taken * (brought - clean)

    @staticmethod
    def _through(blocks: nn.ModuleList, x: Tensor, embedding: Tensor) -> Tensor:
        for block in blocks:
            x = block(x, embedding)
        return x

    def _guided(self, place: int, x: Tensor, edges: Tensor) -> Tensor:
        return x if self.modulations is None else self.modulations[place](x, edges)
