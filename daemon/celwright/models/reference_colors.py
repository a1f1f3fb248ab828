"""How colours come from reference pictures: correspondence of line drawings, and instance features with gates.

SC-MILC's instance modelling (ISMFF, eq. 22-28) assumes that a reference and the target share one canvas. Here the
reference may be another picture in another pose, so the masked features are first carried to where they belong: each
place of the target looks for the places of the reference that are drawn alike, inside the instance's mask there and
inside the instance's region here. One encoder reads both line drawings. Knows tensors only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.color_blocks import NEVER, StructureAttention, attend, near_zero, tokens
from celwright.models.decomposer import Block, PixelNorm

CELL = 8  # pixels a side of a latent cell


class StructureEncoder(nn.Module):
    """What is drawn where: ink (B, 1, H, W), 0..1, to features at 1/8 and 1/16 that know the whole drawing.
    ``widths`` are the channels at 1/4, 1/8, 1/16 and 1/32; sides are multiples of 32."""

    def __init__(self, widths: Sequence[int], heads: int) -> None:
        super().__init__()
        w4, w8, w16, w32 = widths
        self.at4 = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(16, w4, 3, padding=1), nn.SiLU())
        self.at8 = nn.Sequential(nn.Conv2d(w4, w8, 3, stride=2, padding=1), Block(w8))
        self.at16 = nn.Sequential(nn.Conv2d(w8, w16, 2, stride=2), Block(w16), Block(w16))
        self.at32 = nn.Sequential(nn.Conv2d(w16, w32, 2, stride=2), Block(w32))
        self.attention = StructureAttention(w32, heads, structure=False)
        self.up16 = nn.Sequential(nn.Conv2d(w32, 4 * w16, 1), nn.PixelShuffle(2))
        self.out16 = Block(w16)
        self.up8 = nn.Sequential(nn.Conv2d(w16, 4 * w8, 1), nn.PixelShuffle(2))
        self.out8 = Block(w8)

    def forward(self, ink: Tensor) -> tuple[Tensor, Tensor]:
        x8 = self.at8(self.at4(ink))
        x16 = self.at16(x8)
        x32 = self.at32(x16)
        x32 = self.attention(x32, torch.zeros_like(x32[:, :1]))
        x16 = self.out16(x16 + self.up16(x32))
        return self.out8(x8 + self.up8(x16)), x16


@dataclass
class References:
    """What the references say about a target of h x w latent cells (B targets, R references each).

    ``carried`` (B, 3, h, w): colours 0..1 brought by correspondence; ``confidence`` (B, 1, h, w): the similarity of
    what they were brought from, up to 1, 0 where no reference reaches; ``fused`` (B, C, h, w): F_inst of eq. 28;
    ``gates`` (B, R, C): g_i of eq. 26; ``present`` (B, R): 1 or 0; ``reach`` (B, R, h, w): where each instance stands;
    ``memory`` (B, R, M, K) and ``memory_bias`` (B, R, K): its tokens at 1/16, and NEVER outside the mask.
    """

    carried: Tensor
    confidence: Tensor
    fused: Tensor
    gates: Tensor
    present: Tensor
    reach: Tensor
    memory: Tensor
    memory_bias: Tensor


def mean_color(rgb: Tensor, weight: Tensor, cell: int = CELL) -> Tensor:
    """(B, 3, H / cell, W / cell): each cell's mean colour, pixels counting by ``weight``; 0 where none counts."""
    return F.avg_pool2d(rgb * weight, cell) / F.avg_pool2d(weight, cell).clamp(min=1e-4)


def log_mask(mask: Tensor) -> Tensor:
    """(B, K) what a mask (B, 1, h, w) adds to attention logits: its logarithm, so that a key counts by its share."""
    flat = mask.flatten(1).float()
    return torch.where(flat > 0, flat.clamp(min=1e-4).log(), NEVER)


class ReferenceReader(nn.Module):
    """``widths`` as the structure encoder's; ``key`` channels are compared, ``appearance`` channels carried. Without
    ``correspondence`` instance features stay where they are on the reference's canvas, as in the paper; without
    ``ismff`` only the references' global features are left (the paper's ablation B)."""

    def __init__(
        self, widths: Sequence[int], key: int, appearance: int, ismff: bool = True, correspondence: bool = True
    ) -> None:
        super().__init__()
        self.widths = (key, 3, appearance)
        self.ismff, self.correspondence = ismff, correspondence
        self.appearance = nn.Sequential(
            nn.PixelUnshuffle(CELL), nn.Conv2d(5 * CELL**2, appearance, 1), Block(appearance),
            PixelNorm(appearance),
        )  # fmt: skip
        self.absent = nn.Parameter(0.02 * torch.randn(appearance, 1, 1))
        if correspondence:
            self.query = nn.Conv2d(widths[1], key, 1)
            self.key = nn.Conv2d(widths[1] + appearance, key, 1)
            self.sharpness = nn.Parameter(torch.tensor(2.3))  # logarithm of the inverse temperature
        if ismff:
            self.global_gate = nn.Linear(appearance, appearance)  # W_1
            self.local_gate = nn.Linear(appearance, appearance, bias=False)  # W_2
        self.remember = nn.Conv2d(widths[2] + appearance + 3, widths[2], 1)

    def forward(self, encoder: StructureEncoder, target: Tensor, references: Tensor, regions: Tensor) -> References:
        """``target`` (B, C, h, w): the target's structure at 1/8. ``references`` (B, R, 5, H', W'): RGB with its lines,
        ink and mask, 0..1. ``regions`` (B, R, 1, H, W): where each instance stands in the target."""
        batch, count = references.shape[:2]
        rgb, ink, mask = references.flatten(0, 1).split((3, 1, 1), 1)  # type: ignore[no-untyped-call]
        ink = ink * mask  # from here on nothing outside the mask is seen
        share = F.avg_pool2d(mask, CELL)  # eq. 23
        structure8, structure16 = encoder(ink)
        features = self.appearance(torch.cat([(rgb - 0.5) * mask, ink, mask], 1))  # eq. 22
        colors = mean_color(rgb, mask * (1 - ink))
        present = (mask.amax((1, 2, 3)) > 0).float().view(batch, count)
        reach = F.avg_pool2d(regions.flatten(0, 1), CELL).view(batch, count, *target.shape[2:])
        reach = reach * present[:, :, None, None]
        if self.correspondence:
            local, carried, confidence = self._carried(target, structure8, features, colors, share, reach)
        else:
            placed = F.interpolate(features.float() * share, target.shape[2:], mode="bilinear")  # eq. 24
            local = placed.view(batch, count, *placed.shape[1:])
            carried, confidence = torch.zeros_like(local[:, 0, :3]), torch.zeros_like(local[:, 0, :1])
        fused, gates = self._fused(features.float(), share, local, present, reach)
        seen = torch.cat([F.avg_pool2d(features * share, 2), F.avg_pool2d(colors * share, 2)], 1)
        memory = self.remember(torch.cat([structure16, seen.to(structure16.dtype)], 1)).flatten(2)
        return References(
            carried, confidence, fused, gates, present, reach,
            memory.view(batch, count, *memory.shape[1:]), log_mask(F.avg_pool2d(share, 2)).view(batch, count, -1),
        )  # fmt: skip

    def likeness(self, encoder: StructureEncoder, drawn: Tensor, references: Tensor) -> Tensor:
        """(F, R) how alike drawings (F, 2, H, W), ink and mask, and references (R, 5, H', W') are drawn: the cosine
        of each cell and the one most like it on the other side, the mean over either side's cells."""
        ink, mask = drawn.split(1, 1)  # type: ignore[no-untyped-call]
        rgb, reference_ink, reference_mask = references.split((3, 1, 1), 1)  # type: ignore[no-untyped-call]
        reference_ink = reference_ink * reference_mask
        queries, keys = encoder(ink * mask)[0], encoder(reference_ink)[0]
        if self.correspondence:
            seen = torch.cat([(rgb - 0.5) * reference_mask, reference_ink, reference_mask], 1)
            queries, keys = self.query(queries), self.key(torch.cat([keys, self.appearance(seen)], 1))
        queries, keys = (F.normalize(x.float(), dim=1).flatten(2) for x in (queries, keys))
        inside, reference_inside = (F.avg_pool2d(m, CELL).flatten(1) for m in (mask, reference_mask))
        rows = []
        for query, share in zip(queries, inside, strict=True):
            cosines = torch.einsum("ck,rcj->rkj", query, keys)
            there = cosines.masked_fill(reference_inside[:, None] == 0, -1).amax(2) * share
            back = cosines.masked_fill(share[None, :, None] == 0, -1).amax(1) * reference_inside
            rows.append(there.sum(1) / share.sum() + back.sum(1) / reference_inside.sum(1).clamp(min=1e-4))
        return torch.stack(rows) / 2

    def _carried(
        self, target: Tensor, structure: Tensor, features: Tensor, colors: Tensor, share: Tensor, reach: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Features (B, R, C, h, w) of each reference brought to the target, and colours (B, 3, h, w) and confidence
        (B, 1, h, w) of all: cosine attention from the target's cells to the cells inside M'_i."""
        batch, count, *size = reach.shape
        keys = F.normalize(self.key(torch.cat([structure, features], 1)).float(), dim=1)
        queries = F.normalize(self.query(target).float(), dim=1).repeat_interleave(count, 0)
        values = torch.cat([keys, colors, features], 1)
        sharpness = self.sharpness.exp().clamp(max=100)
        got = attend(tokens(queries), tokens(keys), tokens(values), log_mask(share), sharpness)
        got = got.float().transpose(2, 3).reshape(batch, count, -1, *size)
        similar, colors, local = got.split(self.widths, 2)  # type: ignore[no-untyped-call]
        # The mean of the attended keys, seen from the query: close to the greatest similarity once attention is sharp,
        # without ever holding all pairs.
        likeness = (similar * queries.view(batch, count, -1, *size)).sum(2)
        rival = likeness.masked_fill(reach == 0, -2)
        weight = reach * torch.exp(sharpness * (rival - rival.amax(1, keepdim=True)))
        weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-6) * reach.amax(1, keepdim=True)
        return local, (weight[:, :, None] * colors).sum(1), (weight * likeness).sum(1, keepdim=True)

    def _fused(
        self, features: Tensor, share: Tensor, local: Tensor, present: Tensor, reach: Tensor
    ) -> tuple[Tensor, Tensor]:
        batch, count = present.shape
        pooled = features.mean((2, 3)).view(batch, count, -1)
        masked = (features * share).sum((2, 3)) / share.sum((2, 3)).clamp(min=1e-4)  # of eq. 24
        known = present[:, :, None]
        overall = (pooled * known).sum(1) / known.sum(1).clamp(min=1)  # f_g, eq. 25
        nothing = (1 - present.amax(1))[:, None, None, None]
        fused = overall[:, :, None, None].expand(-1, -1, *reach.shape[2:])
        gates = torch.zeros_like(pooled)
        if self.ismff:
            gates = torch.sigmoid(
                self.global_gate(overall)[:, None] + self.local_gate(masked.view(batch, count, -1))
            ).float()  # eq. 26
            gate = gates[..., None, None]
            both = gate * local * reach[:, :, None] + (1 - gate) * overall[:, None, :, None, None]  # eq. 27
            fused = (both * known[..., None, None]).sum(1)  # eq. 28
        return fused * (1 - nothing) + nothing * self.absent, gates


class ReferenceAttention(nn.Module):
    """Cross-attention from the U-Net's positions to the references' tokens, each only where its instance stands."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = PixelNorm(width)
        self.query = nn.Conv2d(width, width, 1)
        self.key_value = nn.Conv1d(width, 2 * width, 1)
        self.out = near_zero(nn.Conv2d(width, width, 1))

    def keys_and_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """(B, R, heads, K, D) each, of tokens (B, R, C, K): the same for all steps."""
        batch, count, width, length = memory.shape
        both = self.key_value(memory.flatten(0, 1))
        both = both.view(batch, count, 2, self.heads, width // self.heads, length).transpose(-1, -2)
        keys, values = both.unbind(2)
        return keys, values

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor, reach: Tensor) -> Tensor:
        """``reach`` (B, R, h, w) at the size of ``x``."""
        count = keys.shape[1]
        q = tokens(self.query(self.norm(x)), self.heads).repeat_interleave(count, 0)
        flat = (part.flatten(0, 1) for part in (keys, values, bias))
        got = attend(q, *flat, q.shape[-1] ** -0.5)  # type: ignore[call-arg]
        got = got.transpose(2, 3).reshape(len(x), count, *x.shape[1:])
        change: Tensor = self.out((got * reach[:, :, None].to(got.dtype)).sum(1))
        # The convolution's bias would reach everywhere; only what a reference reaches may change.
        return x + change * reach.amax(1, keepdim=True).to(change.dtype)
