"""The Fréchet distance (Heusel et al. 2017, eq. 6) between two sets of pictures, by the features of a network.

d^2 = |m - n|^2 + tr(C + D - 2 (C D)^(1/2)), m and n being the means, C and D the covariances of the sets' features.
The features here are EfficientNet-Lite0's, so figures stand beside each other only, not beside those by Inception; and
fewer pictures than features make them too large, so only figures of equally many pictures do.
"""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]


def frechet(features: Features, others: Features) -> float:
    """The squared distance of normal distributions with the means and covariances of (N, F) and of (M, F).

    With centred rows A and B, so that C = A'A and D = B'B, the eigenvalues of C D are the squared singular values of
    A B', (N, M): no root of a matrix of F x F that has rank N - 1 at most.
    """
    apart = features.mean(0) - others.mean(0)
    a, b = (_centred(rows) for rows in (features, others))
    root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(float(np.square(apart).sum() + np.square(a).sum() + np.square(b).sum() - 2 * root), 0.0)


def _centred(rows: Features) -> Features:
    """A with A'A the covariance of the rows; 0 where there is but one."""
    return np.asarray((rows - rows.mean(0)) / np.sqrt(max(len(rows) - 1, 1)), np.float64)
