"""Colours sampled by a Stable Diffusion 1.5: a picture at its size, on which the regions then vote.

Knows requests and pictures; painters, sampling and votes are others' matters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from celwright.diffusion.sampler import Estimate
from celwright.domain import ColorizeRequest, Event, FloatImage, Guidance, Pixels, Preview, Progress
from celwright.errors import ModelUnavailableError
from celwright.imaging.categories import color_categories, shown
from celwright.models.sd15.base import REDUCTION, STRIDE, decoded, encoded
from celwright.pipelines.colorize.context import change_allowed
from celwright.pipelines.colorize.field import field_of
from celwright.pipelines.colorize.figures import Figure
from celwright.pipelines.colorize.instances import found_instances
from celwright.pipelines.colorize.proposal import Proposal, refuse
from celwright.pipelines.colorize.sd15.loading import SIDE, Sd15Options, loaded, located
from celwright.pipelines.colorize.sd15.page import SeenPage, figure_framed, framed, known_colors, places_of
from celwright.pipelines.colorize.sd15.painters import Painter, tensor
from celwright.pipelines.colorize.sd15.sampling import Known, sampled
from celwright.pipelines.colorize.voted import voted
from celwright.regions.hinted import HintedRegions
from celwright.weights.store import Store


def full_size_proposer(store: Store, options: Sd15Options) -> "Sd15Proposer":
    """With the models in ``store``."""
    return Sd15Proposer(lambda name: loaded(name, located(store, name), options))


class Sd15Proposer:
    """A Proposer that samples a picture for each variation with the model that ``load`` gives by name, called on first
    use."""

    def __init__(self, load: Callable[[str], Painter]) -> None:
        self._load = load
        self._painter: tuple[str, Painter] | None = None
        self.name = ""

    def check(self, request: ColorizeRequest) -> None:
        """Refuse what Stable Diffusion was never taught: palettes, histograms and light as wished, guidance by
        condition."""
        self.name = request.model
        refused = {
            "A histogram": request.histogram is not None,
            "The palette 'auto'": request.palette == "auto",
            "The palette 'flatting'": request.palette == "flatting",
            "A guidance": request.guidance != Guidance(),
            "A direction of the light": request.shading and request.light != ColorizeRequest.light,
        }
        refuse(refused, f"which the model {request.model!r} knows nothing of: leave that option or the model out.")

    def unload(self) -> None:
        self._painter = None

    def propose(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        """Progress after each step, Previews on the way, then a Proposal for each variation. Raises
        ModelUnavailableError, also where the memory runs out while it works."""
        try:
            yield from self._proposed(request, regions, ink)
        except (MemoryError, RuntimeError) as fault:
            reason = str(fault).partition("\n")[0].rstrip(".")
            if "out of memory" not in reason and not isinstance(fault, MemoryError):
                raise
            raise ModelUnavailableError(
                f"The memory ran out while the model {request.model!r} worked ({reason}); try --precision fp16 or "
                f"--offload cpu."
            ) from fault

    def _proposed(
        self, request: ColorizeRequest, regions: HintedRegions, ink: NDArray[np.uint8]
    ) -> Iterator[Event | Proposal]:
        yield Progress("load", 0.0)
        painter = self._loaded(request.model)
        change = change_allowed(request)
        field = field_of(ink.shape[0], ink.shape[1], None if change is None else change > 0, SIDE, STRIDE)
        yield Progress("references", 0.0)
        references = [framed(reference, painter.side) for reference in request.references]

        def alike(figures: Sequence[Figure]) -> FloatImage:
            squares = [figure_framed(one.drawn.ink, one.drawn.inside, painter.side) for one in figures]
            return painter.likeness(squares, references)

        instances = found_instances(regions.labels, ink, request.references, alike)
        drawn = field.reduced(ink.astype(np.float32) / np.float32(255))
        known = known_colors(request, regions, field, drawn, change)
        page = SeenPage(drawn, references, places_of(request.references, instances, field), known)
        predict = painter.predictor(page)
        kept = _known(painter, page)
        stages = {"instances": instances.picture(ink)} if request.stages and instances.matched else {}
        try:
            for number in range(request.variations):
                picture: FloatImage | None = None
                for estimate in sampled(
                    painter.pipeline, predict, (field.height // REDUCTION, field.width // REDUCTION),
                    (request.seed + number) % 2**32, request.steps,
                    few_steps=painter.few_steps, device=painter.device, known=kept,
                ):  # fmt: skip
                    yield Progress("sample", (number + estimate.step / estimate.steps) / request.variations)
                    if estimate.step == estimate.steps:
                        picture = _picture(painter, estimate.latents)
                    elif _previewed(estimate, painter):
                        yield Preview(Pixels(np.round(_picture(painter, estimate.latents) * 255).astype(np.uint8)))
                assert picture is not None  # there is at least one step
                if request.stages:
                    stages["categories"] = Pixels(shown(color_categories(picture)))
                proposal = voted(regions, ink, field, picture)
                yield replace(proposal, stages=dict(stages), notices=tuple(instances.notices()))
        finally:
            painter.pipeline.maybe_free_model_hooks()  # of a model that is offloaded; else nothing

    def _loaded(self, name: str) -> Painter:
        if self._painter is None or self._painter[0] != name:
            self.unload()
            self._painter = name, self._load(name)
        return self._painter[1]


def _known(painter: Painter, page: SeenPage) -> Known | None:
    """Latent cells that are known wholly; None without any."""
    planes = tensor(page.known, painter.device)
    finished, begun = (torch.nn.functional.avg_pool2d(planes[:, 3:], REDUCTION) == 1).split(1, 1)  # type: ignore[no-untyped-call]
    if not (finished | begun).any():
        return None
    return Known(encoded(painter.pipeline, planes[:, :3]).float(), finished, begun)


def _picture(painter: Painter, latents: Tensor) -> FloatImage:
    """(h, w, 3) sRGB 0..1."""
    return np.ascontiguousarray(decoded(painter.pipeline, latents)[0].permute(1, 2, 0).cpu().numpy())


def _previewed(estimate: Estimate, painter: Painter) -> bool:
    """Half-way and at three quarters; never where it would push the UNet out of the GPU."""
    offloaded = getattr(painter.pipeline.vae, "_hf_hook", None) is not None
    return not offloaded and estimate.step in (estimate.steps // 2, estimate.steps * 3 // 4)
