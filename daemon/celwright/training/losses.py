"""What a decomposition is punished for: the layer-wise losses of the layer-decomposition paper at embedded size.

Each function takes the estimate and the truth as ``Layers`` (models/decomposer.py) and gives a scalar. Knows neither
the network nor the data.
"""

from torch import Tensor

from celwright.models.decomposer import Layers, compose

# The paper's weights (section on training), but for the flat, which counts as much as the line (the paper: 1.0): at
# this size it is what is learnt last.
LINE, FLAT, HIGHLIGHT, SHADOW, SPARSE, COMPOSITION = 2.5, 2.5, 1.0, 1.0, 0.08, 1.8
# Shadow covers about a tenth and highlight a hundredth of a picture: under plain L1 the best guess is "none".
RARE_SHADOW, RARE_HIGHLIGHT = 3.0, 8.0
PRESENT = 0.02  # strength from which a pixel counts as shaded


def line_loss(estimate: Layers, truth: Layers) -> Tensor:
    """L1 on coverage, and on colour where there is line (eq. 7)."""
    ink = (estimate.line_color - truth.line_color).abs() * truth.line_alpha
    return (estimate.line_alpha - truth.line_alpha).abs().mean() + ink.mean()


def flat_loss(estimate: Layers, truth: Layers) -> Tensor:
    """L1 everywhere, under lines and shadows too (eq. 8)."""
    return (estimate.flat - truth.flat).abs().mean()


def shading_loss(estimate: Tensor, truth: Tensor, strength: Tensor, line_alpha: Tensor, rare: float) -> Tensor:
    """L1 where the line leaves something to see, shaded pixels counting ``1 + rare`` times (eq. 9 and 10)."""
    weight = (1 + rare * (strength.amax(1, keepdim=True) > PRESENT)) * (1 - line_alpha)
    return ((estimate - truth).abs() * weight).mean()


def sparsity(estimate: Layers) -> Tensor:
    """Mean strength of shadow and highlight."""
    return (1 - estimate.shadow).mean() + estimate.highlight.mean()


def composition_loss(estimate: Layers, truth: Layers) -> Tensor:
    """L1 between the two recompositions (eq. 11)."""
    return (compose(estimate) - compose(truth)).abs().mean()


def decomposition_loss(estimate: Layers, truth: Layers) -> Tensor:
    """All of them, by the paper's weights."""
    shadow = shading_loss(estimate.shadow, truth.shadow, 1 - truth.shadow, truth.line_alpha, RARE_SHADOW)
    highlight = shading_loss(estimate.highlight, truth.highlight, truth.highlight, truth.line_alpha, RARE_HIGHLIGHT)
    return (
        LINE * line_loss(estimate, truth)
        + FLAT * flat_loss(estimate, truth)
        + SHADOW * shadow
        + HIGHLIGHT * highlight
        + SPARSE * sparsity(estimate)
        + COMPOSITION * composition_loss(estimate, truth)
    )
