"""The embedded colorizer: a diffusion over the colours of a drawing's regions, told by references, hints and a palette.

SC-MILC's latents are a picture's; ours are a drawing's regions, one colour each: line art says where colours end, so
nothing can bleed, and a page of a hundred regions is a hundred latents. The paper's three parts are here in this form:
structure guidance is an attention bias by what touches what (eq. 18-20), instance features are the reference's own
regions, weighed by how much each says (eq. 25-28), and the diffusion is LGB. A pointer says which region of a
reference, or which hinted region of the page, a region takes its colour from. Knows tensors only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from celwright.models.attention import NEVER
from celwright.models.decomposer import start_near_zero
from celwright.models.region_tokens import RegionTokens

_LAST = 999  # the timestep of pure noise
_STRANGERS, _MEAN = 0.02, -3.0  # of a border, for regions that do not touch; about the mean of the logarithm
_NEIGHBOURLY = 1.5  # gamma of the last head at first: it looks at neighbours, as one comes to do by itself
_ALIKE = 0.002  # squared distance in RGB, 0..1, at which colours are 1 / e one colour
MIDDLE, SPREAD = 0.5, 0.3  # of colours, so that latents have about zero mean and unit variance


@dataclass(frozen=True, eq=False)
class Asked:
    """B figures of up to N regions each. ``line`` (B, 2, S, S) ink and inside; ``labels`` (B, S, S), 0 = none;
    ``hints`` (B, N, 4): colours given and whether; ``histogram`` (B, bins), all 0 = no wish; ``references``
    (B, R, 2, S, S) their ink and inside, ``patches`` (B, R, S, S) with ``colors`` (B, R, M, 3). Colours 0..1."""

    line: Tensor
    labels: Tensor
    hints: Tensor
    histogram: Tensor
    references: Tensor
    patches: Tensor
    colors: Tensor


@dataclass(frozen=True, eq=False)
class Read:
    """What does not change from step to step: tokens of the page's regions as they are ``drawn`` and, with their hints,
    ``target`` (B, N, C), and of the references' ``memory`` (B, R * M, C); ``bias`` (B, heads, N + R * M, N + R * M) of
    the attention; ``there`` (B, N + R * M): who is; ``wish`` (B, C); ``open`` (B, N + R * M): whose colour may be
    taken, hinted regions' and references', and ``sources`` (..., 3) that colour."""

    drawn: Tensor
    memory: Tensor
    bias: Tensor
    there: Tensor
    target: Tensor
    wish: Tensor
    open: Tensor
    sources: Tensor

    def repeated(self, count: int) -> "Read":
        """Each figure ``count`` times in a row: variations share what was read."""
        return Read(*(getattr(self, field.name).repeat_interleave(count, 0) for field in fields(self)))

    def alone(self) -> "Read":
        """The same without references, as if none had been given."""
        n = self.target.shape[1]
        return replace(
            self, memory=self.memory[:, :0], bias=self.bias[..., :n, :n], there=self.there[:, :n],
            open=self.open[:, :n], sources=self.sources[:, :n],
        )  # fmt: skip


class Block(nn.Module):
    """Attention with a bias, then a gated pair of linear layers (Shazeer 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = start_near_zero(nn.Linear(width, width))
        self.spread = nn.Linear(width, 4 * width)
        self.gather = start_near_zero(nn.Linear(2 * width, width))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.query_key_value(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # torch's fused attention gives a bias no gradient, and computes in float32 where one is asked for.
        got = torch.softmax(q * (width // self.heads) ** -0.5 @ k.transpose(2, 3) + bias.to(q.dtype), 3) @ v
        x = x + self.out(got.transpose(1, 2).reshape(batch, length, width))
        up, gate = self.spread(self.norm2(x)).chunk(2, 2)
        result: Tensor = x + self.gather(up * F.silu(gate))
        return result


class RegionColorizer(nn.Module):
    """``widths`` as in ``FigureEncoder``, ``width`` of a token. The switches leave a part out for the ablation table:
    ``sgm`` what touches what, ``ismff`` which reference region says how much, ``lgb`` the diffusion."""

    def __init__(
        self, widths: Sequence[int], width: int, depth: int, heads: int, histogram_bins: int,
        sgm: bool = True, ismff: bool = True, lgb: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.heads, self.histogram_bins = heads, histogram_bins
        self.sgm, self.ismff, self.lgb = sgm, ismff, lgb
        self.tokens = RegionTokens(widths, 4, width)
        self.color = nn.Sequential(nn.Linear(4, width), nn.SiLU(), nn.Linear(width, width))
        self.noisy = start_near_zero(nn.Linear(3, width))  # else noise drowns the drawing before either is understood
        self.time = nn.Sequential(nn.Linear(32, width), nn.SiLU(), nn.Linear(width, width))
        self.histogram = nn.Sequential(nn.Linear(histogram_bins, width), nn.SiLU(), nn.Linear(width, width))
        self.origin = nn.Parameter(0.02 * torch.randn(2, width))  # page, reference
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.gamma = nn.Parameter(torch.zeros(2, heads))  # of what touches: on the page, in a reference
        nn.init.constant_(self.gamma[:, -1], _NEIGHBOURLY)
        self.across = nn.Parameter(torch.zeros(2, 2, heads))  # from page or reference to page or reference
        self.norm = nn.RMSNorm(width)
        self.head = nn.Linear(width, 3)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.sharpness = nn.Parameter(torch.tensor(2.0))
        self.none = nn.Linear(width, 1)

    def prepare(self, asked: Asked) -> Read:
        """Everything that does not change from step to step."""
        regions = asked.hints.shape[1]
        drawn, touch, share = self.tokens(asked.line, asked.labels, regions)
        drawn = drawn + self.origin[0]
        memory, near, shown = self._memory(asked)
        size = regions + memory.shape[1]
        bias = drawn.new_zeros(len(drawn), self.heads, size, size, dtype=torch.float32)
        page, other = slice(0, regions), slice(regions, None)
        for i, rows in enumerate((page, other)):
            for j, columns in enumerate((page, other)):
                bias[:, :, rows, columns] += self.across[i, j][:, None, None]
        bias[:, :, page, page] += self._guided(touch, 0)
        patches = near.shape[-1]
        for i in range(near.shape[1]):
            own = slice(regions + i * patches, regions + (i + 1) * patches)
            bias[:, :, own, own] += self._guided(near[:, i], 1)
        there = torch.cat([share, shown], 1) > 0
        bias = bias.masked_fill(~there[:, None, None], NEVER)
        sources = torch.cat([asked.hints[..., :3], asked.colors.flatten(1, 2)], 1)
        read = Read(drawn, memory, bias, there, drawn, torch.zeros_like(drawn[:, 0]), there, sources)
        return self.wished(self.hinted(read, asked.hints), asked.histogram)

    def hinted(self, read: Read, hints: Tensor) -> Read:
        """The same with ``hints`` (B, N, 4) instead of those it had."""
        regions, given = hints.shape[1], hints[..., 3:]
        target = read.drawn + self.color(torch.cat([(hints[..., :3] - 0.5) * given, given], 2))
        open_ = torch.cat([read.there[:, :regions] & (given[..., 0] > 0), read.there[:, regions:]], 1)
        return replace(
            read, target=target, open=open_, sources=torch.cat([hints[..., :3], read.sources[:, regions:]], 1)
        )

    def wished(self, read: Read, histogram: Tensor) -> Read:
        """The same with the colours of a ``histogram`` (B, bins) wished for; where it is all 0, with no wish."""
        known = (histogram.sum(1, keepdim=True) > 0).float()
        wish: Tensor = self.histogram(histogram.sqrt()) * known
        return replace(read, wish=wish)

    def _memory(self, asked: Asked) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, R * M, C) of the references' regions, what touches what (B, R, M, M), their shares (B, R * M)."""
        batch, count, patches = asked.colors.shape[:3]
        labels = asked.patches.flatten(0, 1)
        present = labels.flatten(1).amax(1) > 0 if count else labels.new_zeros(0, dtype=torch.bool)
        known = torch.cat([asked.colors - 0.5, torch.ones_like(asked.colors[..., :1])], 3).flatten(1, 2)
        memory = self.color(known) + self.origin[1]
        if not present.any():
            nothing = asked.colors.new_zeros(batch, count, patches, patches)
            return memory, nothing, nothing.new_zeros(batch, count * patches)
        read = self.tokens(asked.references.flatten(0, 1)[present], labels[present], patches)
        drawn, near, shown = (_spread(part, present) for part in read)
        if self.ismff:
            memory = memory + drawn.view(batch, count * patches, -1)
        return memory, near.view(batch, count, patches, patches), shown.view(batch, count * patches)

    def _guided(self, touch: Tensor, which: int) -> Tensor:
        """The bias (B, heads, K, K) of what touches what (B, K, K): gamma Norm(E') of eq. 18-20, for regions."""
        strength = self.gamma[which] * float(self.sgm)
        return strength[:, None, None] * ((touch[:, None] + _STRANGERS).log() - _MEAN)

    def forward(self, noisy: Tensor, t: Tensor, read: Read) -> Tensor:
        """The clean latents (B, N, 3) of ``noisy`` ones at timesteps ``t`` (B,) of 1000."""
        clean: Tensor = self.head(self._told(noisy, t, read)[:, : noisy.shape[1]])
        return clean.float()

    def pointing(self, read: Read) -> tuple[Tensor, Tensor]:
        """Logits (B, N, N + R * M + 1) of taking the colour of a hinted region, of a reference's region, or of none,
        and the latents (B, N, 3) to expect, while no colour is sampled: noised ones would tell the answer that drawings
        are to give."""
        noise = read.target.new_zeros(*read.target.shape[:2], 3, dtype=torch.float32)
        x = self._told(noise, torch.full_like(noise[:, 0, 0], _LAST), read)
        own = x[:, : noise.shape[1]]
        q, k = F.normalize(self.query(own).float(), dim=2), F.normalize(self.key(x).float(), dim=2)
        logits = self.sharpness.exp().clamp(max=60) * q @ k.transpose(1, 2)
        logits = logits.masked_fill(~read.open[:, None], NEVER)
        return torch.cat([logits, self.none(own).float()], 2), self.head(own).float()

    def _told(self, noisy: Tensor, t: Tensor, read: Read) -> Tensor:
        """Tokens (B, N + R * M, C) of the page's and the references' regions that know of each other."""
        target = read.target + read.wish[:, None]
        if self.lgb:
            rates = torch.exp(-9.2 * torch.arange(16, device=t.device) / 16)
            angles = t.float()[:, None] * rates
            target = target + self.noisy(noisy) + self.time(torch.cat([angles.sin(), angles.cos()], 1))[:, None]
        x = torch.cat([target.to(read.memory.dtype), read.memory], 1)
        for block in self.blocks:
            x = block(x, read.bias)
        told: Tensor = self.norm(x)
        return told


def _spread(rows: Tensor, where: Tensor) -> Tensor:
    """``rows`` in the places that are true in ``where`` (K,), zeros in the others."""
    whole = rows.new_zeros(len(where), *rows.shape[1:])
    whole[where] = rows
    return whole


def chosen_colors(logits: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
    """The colour (B, N, 3) that most speaks for among ``sources`` (B, K, 3), and its chance (B, N) beside "none":
    sources of nearly one colour speak together. ``logits`` (B, N, K + 1)."""
    chances = torch.softmax(logits, 2)[..., :-1]
    alike = torch.exp(-torch.cdist(sources, sources).square() / _ALIKE)
    votes, best = (chances @ alike.to(chances.dtype)).max(2)
    return torch.gather(sources, 1, best[..., None].expand(-1, -1, 3)), votes.clamp(max=1)


def latents(colors: Tensor) -> Tensor:
    """Colours 0..1 as what the diffusion arrives at."""
    return (colors - MIDDLE) / SPREAD


def colors_of(x: Tensor) -> Tensor:
    return (x * SPREAD + MIDDLE).clamp(0, 1)
