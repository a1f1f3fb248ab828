"""Events and reports ↔ messages of celwright.v1, both ways: what a job tells while it runs and at its end."""

from collections.abc import Iterator

from celwright.domain import Event, Finished, Leak, Pixels, Preview, Progress, Queued, RecompositionError, Report
from celwright.rpc.choices import SHADOW_BLENDS, key
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.images import IncomingImage, chunks, image_start


def event_messages(event: Event) -> Iterator[pb.JobEvent]:
    """``event`` as messages; images as a start and chunks, one after another, so that each can be shown on arrival."""
    match event:
        case Queued(ahead):
            yield pb.JobEvent(queued=pb.Queued(ahead=ahead))
        case Progress(stage, fraction, seconds_left):
            yield pb.JobEvent(progress=pb.Progress(stage=stage, fraction=fraction, seconds_left=seconds_left))
        case Preview(image):
            yield pb.JobEvent(preview=image_start("preview", image))
            yield from (pb.JobEvent(chunk=chunk) for chunk in chunks(image))
        case Finished(named, report):
            for name, image in named.items():
                yield pb.JobEvent(result=image_start(name, image))
                yield from (pb.JobEvent(chunk=chunk) for chunk in chunks(image))
            yield pb.JobEvent(finished=pb.Finished(report=report_message(report)))


def events(messages: Iterator[pb.JobEvent]) -> Iterator[Event]:
    """Events from their messages; what a newer daemon adds is skipped. Ends with Finished."""
    results: dict[str, Pixels] = {}
    for message in messages:
        match message.WhichOneof("event"):
            case "queued":
                yield Queued(message.queued.ahead)
            case "progress":
                left = message.progress.seconds_left if message.progress.HasField("seconds_left") else None
                yield Progress(message.progress.stage, message.progress.fraction, left)
            case "preview":
                yield Preview(_image_after(message.preview, messages))
            case "result":
                results[message.result.name] = _image_after(message.result, messages)
            case "finished":
                yield Finished(results, report(message.finished.report))


def _image_after(start: pb.ImageStart, messages: Iterator[pb.JobEvent]) -> Pixels:
    image = IncomingImage(start)
    while not image.complete and (message := next(messages, None)) is not None:
        image.take(message.chunk)
    return image.pixels()


def report_message(report: Report) -> pb.Report:
    recomposition = report.recomposition
    return pb.Report(
        seconds=[pb.StageSeconds(stage=stage, seconds=value) for stage, value in report.seconds.items()],
        model=report.model,
        seed=report.seed,
        recomposition=None
        if recomposition is None
        else pb.RecompositionError(max=recomposition.max, mean=recomposition.mean, psnr=recomposition.psnr),
        regions=report.regions,
        leaks=[
            pb.Leak(x=leak.x, y=leak.y, width=leak.width, first_region=leak.regions[0], second_region=leak.regions[1])
            for leak in report.leaks
        ],
        notices=report.notices,
        shadow_blend=key(SHADOW_BLENDS, report.shadow_blend),
    )


def report(message: pb.Report) -> Report:
    error = message.recomposition
    return Report(
        seconds={entry.stage: entry.seconds for entry in message.seconds},
        model=message.model,
        seed=message.seed if message.HasField("seed") else None,
        recomposition=RecompositionError(error.max, error.mean, error.psnr)
        if message.HasField("recomposition")
        else None,
        regions=message.regions if message.HasField("regions") else None,
        leaks=tuple(
            Leak(leak.x, leak.y, leak.width, (leak.first_region, leak.second_region)) for leak in message.leaks
        ),
        notices=tuple(message.notices),
        shadow_blend=SHADOW_BLENDS.get(message.shadow_blend, "multiply"),
    )
