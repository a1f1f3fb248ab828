# ruff: noqa
# fmt: off
# mypy: ignore-errors
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCODING_RAW: _ClassVar[Encoding]

class Fidelity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIDELITY_UNSPECIFIED: _ClassVar[Fidelity]
    FIDELITY_CLEAN: _ClassVar[Fidelity]
    FIDELITY_EXACT: _ClassVar[Fidelity]

class ShadowTint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHADOW_TINT_UNSPECIFIED: _ClassVar[ShadowTint]
    SHADOW_TINT_FREE: _ClassVar[ShadowTint]
    SHADOW_TINT_REGION: _ClassVar[ShadowTint]

class ShadowBlend(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHADOW_BLEND_UNSPECIFIED: _ClassVar[ShadowBlend]
    SHADOW_BLEND_MULTIPLY: _ClassVar[ShadowBlend]
    SHADOW_BLEND_NORMAL: _ClassVar[ShadowBlend]

class Unhinted(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNHINTED_UNSPECIFIED: _ClassVar[Unhinted]
    UNHINTED_NEAREST: _ClassVar[Unhinted]
    UNHINTED_TRANSPARENT: _ClassVar[Unhinted]

class AutomaticPalette(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUTOMATIC_PALETTE_UNSPECIFIED: _ClassVar[AutomaticPalette]
    AUTOMATIC_PALETTE_FLATTING: _ClassVar[AutomaticPalette]
    AUTOMATIC_PALETTE_AUTO: _ClassVar[AutomaticPalette]

class DocumentFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOCUMENT_FORMAT_UNSPECIFIED: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_PSD: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_PSB: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_OPENRASTER: _ClassVar[DocumentFormat]

class BlendMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BLEND_MODE_UNSPECIFIED: _ClassVar[BlendMode]
    BLEND_MODE_NORMAL: _ClassVar[BlendMode]
    BLEND_MODE_MULTIPLY: _ClassVar[BlendMode]
    BLEND_MODE_SCREEN: _ClassVar[BlendMode]
    BLEND_MODE_OVERLAY: _ClassVar[BlendMode]
    BLEND_MODE_DARKEN: _ClassVar[BlendMode]
    BLEND_MODE_LIGHTEN: _ClassVar[BlendMode]
    BLEND_MODE_COLOR_DODGE: _ClassVar[BlendMode]
    BLEND_MODE_COLOR_BURN: _ClassVar[BlendMode]
    BLEND_MODE_HARD_LIGHT: _ClassVar[BlendMode]
    BLEND_MODE_SOFT_LIGHT: _ClassVar[BlendMode]
    BLEND_MODE_DIFFERENCE: _ClassVar[BlendMode]
    BLEND_MODE_LINEAR_DODGE: _ClassVar[BlendMode]
ENCODING_RAW: Encoding
FIDELITY_UNSPECIFIED: Fidelity
FIDELITY_CLEAN: Fidelity
FIDELITY_EXACT: Fidelity
SHADOW_TINT_UNSPECIFIED: ShadowTint
SHADOW_TINT_FREE: ShadowTint
SHADOW_TINT_REGION: ShadowTint
SHADOW_BLEND_UNSPECIFIED: ShadowBlend
SHADOW_BLEND_MULTIPLY: ShadowBlend
SHADOW_BLEND_NORMAL: ShadowBlend
UNHINTED_UNSPECIFIED: Unhinted
UNHINTED_NEAREST: Unhinted
UNHINTED_TRANSPARENT: Unhinted
AUTOMATIC_PALETTE_UNSPECIFIED: AutomaticPalette
AUTOMATIC_PALETTE_FLATTING: AutomaticPalette
AUTOMATIC_PALETTE_AUTO: AutomaticPalette
DOCUMENT_FORMAT_UNSPECIFIED: DocumentFormat
DOCUMENT_FORMAT_PSD: DocumentFormat
DOCUMENT_FORMAT_PSB: DocumentFormat
DOCUMENT_FORMAT_OPENRASTER: DocumentFormat
BLEND_MODE_UNSPECIFIED: BlendMode
BLEND_MODE_NORMAL: BlendMode
BLEND_MODE_MULTIPLY: BlendMode
BLEND_MODE_SCREEN: BlendMode
BLEND_MODE_OVERLAY: BlendMode
BLEND_MODE_DARKEN: BlendMode
BLEND_MODE_LIGHTEN: BlendMode
BLEND_MODE_COLOR_DODGE: BlendMode
BLEND_MODE_COLOR_BURN: BlendMode
BLEND_MODE_HARD_LIGHT: BlendMode
BLEND_MODE_SOFT_LIGHT: BlendMode
BLEND_MODE_DIFFERENCE: BlendMode
BLEND_MODE_LINEAR_DODGE: BlendMode

class ImageStart(_message.Message):
    __slots__ = ("name", "width", "height", "channels", "depth", "offset_x", "offset_y", "icc", "content_hash", "reuse", "encoding")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_X_FIELD_NUMBER: _ClassVar[int]
    OFFSET_Y_FIELD_NUMBER: _ClassVar[int]
    ICC_FIELD_NUMBER: _ClassVar[int]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    REUSE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    name: str
    width: int
    height: int
    channels: int
    depth: int
    offset_x: int
    offset_y: int
    icc: bytes
    content_hash: bytes
    reuse: bool
    encoding: Encoding
    def __init__(self, name: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., channels: _Optional[int] = ..., depth: _Optional[int] = ..., offset_x: _Optional[int] = ..., offset_y: _Optional[int] = ..., icc: _Optional[bytes] = ..., content_hash: _Optional[bytes] = ..., reuse: bool = ..., encoding: _Optional[_Union[Encoding, str]] = ...) -> None: ...

class FindImagesRequest(_message.Message):
    __slots__ = ("content_hashes",)
    CONTENT_HASHES_FIELD_NUMBER: _ClassVar[int]
    content_hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, content_hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class FindImagesReply(_message.Message):
    __slots__ = ("content_hashes",)
    CONTENT_HASHES_FIELD_NUMBER: _ClassVar[int]
    content_hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, content_hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class JobOptions(_message.Message):
    __slots__ = ("job_id", "model", "client_version")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    model: str
    client_version: str
    def __init__(self, job_id: _Optional[str] = ..., model: _Optional[str] = ..., client_version: _Optional[str] = ...) -> None: ...

class DecomposeUpload(_message.Message):
    __slots__ = ("header", "image", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: DecomposeHeader
    image: ImageStart
    chunk: bytes
    def __init__(self, header: _Optional[_Union[DecomposeHeader, _Mapping]] = ..., image: _Optional[_Union[ImageStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class SegmentUpload(_message.Message):
    __slots__ = ("header", "image", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: SegmentHeader
    image: ImageStart
    chunk: bytes
    def __init__(self, header: _Optional[_Union[SegmentHeader, _Mapping]] = ..., image: _Optional[_Union[ImageStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ColorizeUpload(_message.Message):
    __slots__ = ("header", "image", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ColorizeHeader
    image: ImageStart
    chunk: bytes
    def __init__(self, header: _Optional[_Union[ColorizeHeader, _Mapping]] = ..., image: _Optional[_Union[ImageStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class DecomposeHeader(_message.Message):
    __slots__ = ("options", "fidelity", "flat_colors", "shadow_tones", "shadow_tint", "merge_highlight", "shadow_blend")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    FIDELITY_FIELD_NUMBER: _ClassVar[int]
    FLAT_COLORS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_TONES_FIELD_NUMBER: _ClassVar[int]
    SHADOW_TINT_FIELD_NUMBER: _ClassVar[int]
    MERGE_HIGHLIGHT_FIELD_NUMBER: _ClassVar[int]
    SHADOW_BLEND_FIELD_NUMBER: _ClassVar[int]
    options: JobOptions
    fidelity: Fidelity
    flat_colors: int
    shadow_tones: int
    shadow_tint: ShadowTint
    merge_highlight: bool
    shadow_blend: ShadowBlend
    def __init__(self, options: _Optional[_Union[JobOptions, _Mapping]] = ..., fidelity: _Optional[_Union[Fidelity, str]] = ..., flat_colors: _Optional[int] = ..., shadow_tones: _Optional[int] = ..., shadow_tint: _Optional[_Union[ShadowTint, str]] = ..., merge_highlight: bool = ..., shadow_blend: _Optional[_Union[ShadowBlend, str]] = ...) -> None: ...

class SegmentHeader(_message.Message):
    __slots__ = ("options", "gap", "leaks")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    LEAKS_FIELD_NUMBER: _ClassVar[int]
    options: JobOptions
    gap: int
    leaks: bool
    def __init__(self, options: _Optional[_Union[JobOptions, _Mapping]] = ..., gap: _Optional[int] = ..., leaks: bool = ...) -> None: ...

class Palette(_message.Message):
    __slots__ = ("name", "colors")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COLORS_FIELD_NUMBER: _ClassVar[int]
    name: str
    colors: bytes
    def __init__(self, name: _Optional[str] = ..., colors: _Optional[bytes] = ...) -> None: ...

class Reference(_message.Message):
    __slots__ = ("image", "mask", "region")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    image: str
    mask: str
    region: str
    def __init__(self, image: _Optional[str] = ..., mask: _Optional[str] = ..., region: _Optional[str] = ...) -> None: ...

class Guidance(_message.Message):
    __slots__ = ("references", "hints", "histogram")
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    HINTS_FIELD_NUMBER: _ClassVar[int]
    HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    references: float
    hints: float
    histogram: float
    def __init__(self, references: _Optional[float] = ..., hints: _Optional[float] = ..., histogram: _Optional[float] = ...) -> None: ...

class ColorizeHeader(_message.Message):
    __slots__ = ("options", "references", "colors", "automatic", "histogram", "unhinted", "gap", "shading", "seed", "variations", "steps", "stages", "guidance", "light")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    COLORS_FIELD_NUMBER: _ClassVar[int]
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    UNHINTED_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    SHADING_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VARIATIONS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_FIELD_NUMBER: _ClassVar[int]
    LIGHT_FIELD_NUMBER: _ClassVar[int]
    options: JobOptions
    references: _containers.RepeatedCompositeFieldContainer[Reference]
    colors: Palette
    automatic: AutomaticPalette
    histogram: _containers.RepeatedScalarFieldContainer[float]
    unhinted: Unhinted
    gap: int
    shading: bool
    seed: int
    variations: int
    steps: int
    stages: bool
    guidance: Guidance
    light: int
    def __init__(self, options: _Optional[_Union[JobOptions, _Mapping]] = ..., references: _Optional[_Iterable[_Union[Reference, _Mapping]]] = ..., colors: _Optional[_Union[Palette, _Mapping]] = ..., automatic: _Optional[_Union[AutomaticPalette, str]] = ..., histogram: _Optional[_Iterable[float]] = ..., unhinted: _Optional[_Union[Unhinted, str]] = ..., gap: _Optional[int] = ..., shading: bool = ..., seed: _Optional[int] = ..., variations: _Optional[int] = ..., steps: _Optional[int] = ..., stages: bool = ..., guidance: _Optional[_Union[Guidance, _Mapping]] = ..., light: _Optional[int] = ...) -> None: ...

class JobEvent(_message.Message):
    __slots__ = ("accepted", "queued", "progress", "preview", "result", "chunk", "finished")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    accepted: Accepted
    queued: Queued
    progress: Progress
    preview: ImageStart
    result: ImageStart
    chunk: bytes
    finished: Finished
    def __init__(self, accepted: _Optional[_Union[Accepted, _Mapping]] = ..., queued: _Optional[_Union[Queued, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., preview: _Optional[_Union[ImageStart, _Mapping]] = ..., result: _Optional[_Union[ImageStart, _Mapping]] = ..., chunk: _Optional[bytes] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ...) -> None: ...

class Accepted(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class Queued(_message.Message):
    __slots__ = ("ahead",)
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    ahead: int
    def __init__(self, ahead: _Optional[int] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("stage", "fraction", "seconds_left")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    stage: str
    fraction: float
    seconds_left: float
    def __init__(self, stage: _Optional[str] = ..., fraction: _Optional[float] = ..., seconds_left: _Optional[float] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: Report
    def __init__(self, report: _Optional[_Union[Report, _Mapping]] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("seconds", "model", "seed", "recomposition", "regions", "leaks", "notices", "shadow_blend")
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    RECOMPOSITION_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    LEAKS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    SHADOW_BLEND_FIELD_NUMBER: _ClassVar[int]
    seconds: _containers.RepeatedCompositeFieldContainer[StageSeconds]
    model: str
    seed: int
    recomposition: RecompositionError
    regions: int
    leaks: _containers.RepeatedCompositeFieldContainer[Leak]
    notices: _containers.RepeatedScalarFieldContainer[str]
    shadow_blend: ShadowBlend
    def __init__(self, seconds: _Optional[_Iterable[_Union[StageSeconds, _Mapping]]] = ..., model: _Optional[str] = ..., seed: _Optional[int] = ..., recomposition: _Optional[_Union[RecompositionError, _Mapping]] = ..., regions: _Optional[int] = ..., leaks: _Optional[_Iterable[_Union[Leak, _Mapping]]] = ..., notices: _Optional[_Iterable[str]] = ..., shadow_blend: _Optional[_Union[ShadowBlend, str]] = ...) -> None: ...

class StageSeconds(_message.Message):
    __slots__ = ("stage", "seconds")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    seconds: float
    def __init__(self, stage: _Optional[str] = ..., seconds: _Optional[float] = ...) -> None: ...

class RecompositionError(_message.Message):
    __slots__ = ("max", "mean", "psnr")
    MAX_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    PSNR_FIELD_NUMBER: _ClassVar[int]
    max: float
    mean: float
    psnr: float
    def __init__(self, max: _Optional[float] = ..., mean: _Optional[float] = ..., psnr: _Optional[float] = ...) -> None: ...

class Leak(_message.Message):
    __slots__ = ("x", "y", "width", "first_region", "second_region")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    FIRST_REGION_FIELD_NUMBER: _ClassVar[int]
    SECOND_REGION_FIELD_NUMBER: _ClassVar[int]
    x: int
    y: int
    width: float
    first_region: int
    second_region: int
    def __init__(self, x: _Optional[int] = ..., y: _Optional[int] = ..., width: _Optional[float] = ..., first_region: _Optional[int] = ..., second_region: _Optional[int] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelReply(_message.Message):
    __slots__ = ("cancelled",)
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    cancelled: bool
    def __init__(self, cancelled: bool = ...) -> None: ...

class DocumentUpload(_message.Message):
    __slots__ = ("header", "image", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: DocumentHeader
    image: ImageStart
    chunk: bytes
    def __init__(self, header: _Optional[_Union[DocumentHeader, _Mapping]] = ..., image: _Optional[_Union[ImageStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class DocumentHeader(_message.Message):
    __slots__ = ("client_version", "format", "width", "height", "depth", "icc", "layers", "composite")
    CLIENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    ICC_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    COMPOSITE_FIELD_NUMBER: _ClassVar[int]
    client_version: str
    format: DocumentFormat
    width: int
    height: int
    depth: int
    icc: bytes
    layers: _containers.RepeatedCompositeFieldContainer[LayerNode]
    composite: str
    def __init__(self, client_version: _Optional[str] = ..., format: _Optional[_Union[DocumentFormat, str]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., depth: _Optional[int] = ..., icc: _Optional[bytes] = ..., layers: _Optional[_Iterable[_Union[LayerNode, _Mapping]]] = ..., composite: _Optional[str] = ...) -> None: ...

class LayerNode(_message.Message):
    __slots__ = ("name", "image", "group", "blend", "opacity", "visible", "clipped")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    BLEND_FIELD_NUMBER: _ClassVar[int]
    OPACITY_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_FIELD_NUMBER: _ClassVar[int]
    CLIPPED_FIELD_NUMBER: _ClassVar[int]
    name: str
    image: str
    group: LayerGroup
    blend: BlendMode
    opacity: float
    visible: bool
    clipped: bool
    def __init__(self, name: _Optional[str] = ..., image: _Optional[str] = ..., group: _Optional[_Union[LayerGroup, _Mapping]] = ..., blend: _Optional[_Union[BlendMode, str]] = ..., opacity: _Optional[float] = ..., visible: bool = ..., clipped: bool = ...) -> None: ...

class LayerGroup(_message.Message):
    __slots__ = ("children",)
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[LayerNode]
    def __init__(self, children: _Optional[_Iterable[_Union[LayerNode, _Mapping]]] = ...) -> None: ...

class DocumentPart(_message.Message):
    __slots__ = ("start", "chunk", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: DocumentStart
    chunk: bytes
    end: DocumentEnd
    def __init__(self, start: _Optional[_Union[DocumentStart, _Mapping]] = ..., chunk: _Optional[bytes] = ..., end: _Optional[_Union[DocumentEnd, _Mapping]] = ...) -> None: ...

class DocumentStart(_message.Message):
    __slots__ = ("bytes", "format")
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    format: DocumentFormat
    def __init__(self, bytes: _Optional[int] = ..., format: _Optional[_Union[DocumentFormat, str]] = ...) -> None: ...

class DocumentEnd(_message.Message):
    __slots__ = ("sha256",)
    SHA256_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    def __init__(self, sha256: _Optional[bytes] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Status(_message.Message):
    __slots__ = ("version", "api_version", "uptime_seconds", "device", "capabilities", "loaded", "waiting", "running", "queue_limit", "memory_bytes", "cached_bytes", "cache_limit", "idle_seconds", "torch_loaded", "max_side", "max_pixels", "upload_limit")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    API_VERSION_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    QUEUE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CACHED_BYTES_FIELD_NUMBER: _ClassVar[int]
    CACHE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TORCH_LOADED_FIELD_NUMBER: _ClassVar[int]
    MAX_SIDE_FIELD_NUMBER: _ClassVar[int]
    MAX_PIXELS_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_LIMIT_FIELD_NUMBER: _ClassVar[int]
    version: str
    api_version: int
    uptime_seconds: float
    device: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    loaded: _containers.RepeatedScalarFieldContainer[str]
    waiting: int
    running: int
    queue_limit: int
    memory_bytes: int
    cached_bytes: int
    cache_limit: int
    idle_seconds: float
    torch_loaded: bool
    max_side: int
    max_pixels: int
    upload_limit: int
    def __init__(self, version: _Optional[str] = ..., api_version: _Optional[int] = ..., uptime_seconds: _Optional[float] = ..., device: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., loaded: _Optional[_Iterable[str]] = ..., waiting: _Optional[int] = ..., running: _Optional[int] = ..., queue_limit: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., cached_bytes: _Optional[int] = ..., cache_limit: _Optional[int] = ..., idle_seconds: _Optional[float] = ..., torch_loaded: bool = ..., max_side: _Optional[int] = ..., max_pixels: _Optional[int] = ..., upload_limit: _Optional[int] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsReply(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "description", "tasks", "license", "bytes", "sha256", "installed", "embedded")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    tasks: _containers.RepeatedScalarFieldContainer[str]
    license: str
    bytes: int
    sha256: str
    installed: bool
    embedded: bool
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., tasks: _Optional[_Iterable[str]] = ..., license: _Optional[str] = ..., bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., installed: bool = ..., embedded: bool = ...) -> None: ...

class PullModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class PullProgress(_message.Message):
    __slots__ = ("bytes_done", "bytes_total", "seconds_left")
    BYTES_DONE_FIELD_NUMBER: _ClassVar[int]
    BYTES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    bytes_done: int
    bytes_total: int
    seconds_left: float
    def __init__(self, bytes_done: _Optional[int] = ..., bytes_total: _Optional[int] = ..., seconds_left: _Optional[float] = ...) -> None: ...

class RemoveModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RemoveModelReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
