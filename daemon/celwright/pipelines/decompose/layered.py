"""The paper's decomposer: Qwen-Image-Layered makes four layers, the embedded model's fitting finishes them.

diffusers' pipeline blocks until it is done and tells its steps by a callback; it runs in a thread here, so that work
stays a generator of events and cancelling is ceasing to iterate. Knows requests and pictures; loading is elsewhere.
"""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from queue import SimpleQueue
from typing import Any

import cv2
import numpy as np
from PIL import Image

from celwright.domain import (
    DecomposeRequest,
    Event,
    Finished,
    FloatImage,
    Pixels,
    Preview,
    Progress,
    RecompositionError,
    Report,
)
from celwright.errors import CelwrightError, ModelUnavailableError
from celwright.layers import quantized
from celwright.models.layered import LAYERS, PROMPT
from celwright.pipelines.decompose.layered_loading import LayeredOptions
from celwright.pipelines.decompose.layered_planes import ResultLayers, planes
from celwright.pipelines.decompose.pipeline import Clock, fitted, on_white

SAMPLING = 0.9  # share of the work that is not fitting
Load = Callable[[str], Any]
_End = tuple[dict[str, Pixels], RecompositionError]


class LayeredPipeline:
    """Serves DecomposeRequest with the full-size model that ``load`` gives by name, called on first use."""

    def __init__(self, load: Load, options: LayeredOptions) -> None:
        self._load, self._options = load, options
        self._loaded: tuple[str, Any] | None = None

    def unload(self) -> None:
        """Free the model; the next run loads it again."""
        self._loaded = None

    def run(self, request: DecomposeRequest) -> Iterator[Event]:
        """Progress after every step, Previews of the flats on the way, Finished as the embedded model's. Raises
        ModelUnavailableError."""
        clock = Clock()
        yield Progress("load", 0.0)
        if self._loaded is None or self._loaded[0] != request.model:
            self._loaded = None
            self._loaded = request.model, self._load(request.model)
        model = self._loaded[1]
        clock.lap("load")
        layers: ResultLayers | None = None
        with closing(_sampling(model, request.picture, self._options)) as events:
            for event in events:
                if isinstance(event, ResultLayers):
                    layers = event
                    continue
                clock.lap("infer")
                if isinstance(event, Progress):
                    done = event.fraction * SAMPLING
                    event = Progress(event.stage, done, clock.seconds_left(done))
                yield event
        assert layers is not None
        size = layers.line.shape[1], layers.line.shape[0]
        working = np.asarray(cv2.resize(on_white(request.picture), size, interpolation=cv2.INTER_AREA))
        images, error = yield from _ended(clock, fitted(request, working, planes(layers)))
        options = self._options
        report = Report(
            clock.seconds, request.model, options.seed, recomposition=error, shadow_blend=request.shadow_blend
        )
        yield Finished(images, report)


def _ended(clock: Clock, fitting: Generator[Progress, None, _End]) -> Generator[Progress, None, _End]:
    """The fitting's Progress as the last share of all."""
    while True:
        try:
            part = next(fitting)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        if part.stage == "decompose":
            clock.lap("fit")
            part = Progress(part.stage, SAMPLING + part.fraction * (1 - SAMPLING))
        else:
            clock.lap(part.stage)
        yield part


class _Cancelled(Exception):
    """Ends diffusers' loop from inside its callback."""


def _sampling(
    model: Any, picture: Pixels, options: LayeredOptions
) -> Generator[Progress | Preview | ResultLayers, None, None]:
    """Progress and Previews while the model works, then its layers. Closing it ends the work at the next step."""
    told: SimpleQueue[Progress | Preview | ResultLayers | BaseException] = SimpleQueue()
    leave = threading.Event()

    def after_step(pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if leave.is_set():
            raise _Cancelled
        told.put(Progress("decompose", (step + 1) / options.steps))
        if options.offload == "none" and step + 1 in (options.steps // 2, options.steps * 3 // 4):
            told.put(_preview(pipeline, tensors["latents"], picture, options))
        return {}

    def work() -> None:
        try:
            told.put(_layers(model, picture, options, after_step))
        except BaseException as fault:  # noqa: BLE001  # a thread's faults are its starter's
            told.put(fault)

    thread = threading.Thread(target=work, name="qwen-layered", daemon=True)
    thread.start()
    try:
        while True:
            event = told.get()
            if isinstance(event, BaseException):
                raise _in_words(event) from event
            yield event
            if isinstance(event, ResultLayers):
                return
    finally:
        leave.set()
        thread.join()


def _layers(model: Any, picture: Pixels, options: LayeredOptions, after_step: Callable[..., Any]) -> ResultLayers:
    import torch

    found = model(
        [_image(picture)],
        PROMPT,
        true_cfg_scale=1.0,
        layers=len(LAYERS),
        num_inference_steps=options.steps,
        resolution=options.resolution,
        generator=torch.Generator().manual_seed(options.seed),
        output_type="pt",
        callback_on_step_end=after_step,
    ).images[0]
    return ResultLayers(*(layer.permute(1, 2, 0).float().cpu().numpy() for layer in found))


def _image(picture: Pixels) -> Image.Image:
    return Image.fromarray(quantized(picture.rgba().data.astype(np.float32) / np.float32(picture.top), 8))


def _preview(pipeline: Any, tokens: Any, picture: Pixels, options: LayeredOptions) -> Preview:
    """The flat as far as it has come."""
    import torch
    from diffusers.pipelines.qwenimage.pipeline_qwenimage_layered import calculate_dimensions

    from celwright.models.layered_tokens import decoded, unpacked

    size = calculate_dimensions(options.resolution**2, picture.width / picture.height)  # type: ignore[no-untyped-call]
    step = pipeline.vae_scale_factor * 2
    width, height = (2 * (side // step) for side in size)
    with torch.no_grad():
        flat = unpacked(pipeline, tokens, height, width)[:, 1 + LAYERS.index("flat")]
        image: FloatImage = (decoded(pipeline, flat[:, :, None])[0].permute(1, 2, 0).float() / 2 + 0.5).cpu().numpy()
    return Preview(Pixels(quantized(image, 8)))


def _in_words(fault: BaseException) -> BaseException:
    """What went wrong in the model as one sentence, where it is no fault of this program."""
    if isinstance(fault, CelwrightError) or not isinstance(fault, MemoryError | RuntimeError):
        return fault
    reason = str(fault).partition("\n")[0].rstrip(".")
    if "out of memory" not in reason and not isinstance(fault, MemoryError):
        return fault
    return ModelUnavailableError(
        f"The memory ran out while the model worked ({reason}); try --resolution 640, --quantize 4bit or --offload cpu."
    )
