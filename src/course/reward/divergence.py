"""Estimators of the Kullback-Leibler divergence of a policy from its reference, from samples.

All have the same expectation over the policy's samples, the divergence itself (Schulman 2020,
"Approximating KL divergence"). The plain log-ratio is below 0 for about half of the samples and so,
now and then, for a whole batch; the third estimator never is.
"""

import torch

#: The plain log-ratio, half its square (biased, but of little variance), and the estimator that
#: subtracts a control variate.
ESTIMATORS = ("k1", "k2", "k3")


def kl_estimate(log_p: torch.Tensor, log_reference: torch.Tensor, estimator: str) -> torch.Tensor:
    """An estimate of the divergence at each sampled token, in nats, of any shape.

    Args:
        log_p: log-probability of the token under the policy that sampled it.
        log_reference: the same under the reference.
        estimator: one of :data:`ESTIMATORS`.

    Raises:
        ValueError: for another estimator.
    """
    log_ratio = log_p - log_reference
    if estimator == "k1":
        return log_ratio
    if estimator == "k2":
        return log_ratio.square() / 2
    if estimator == "k3":
        return torch.expm1(-log_ratio) + log_ratio
    raise ValueError(f"estimator={estimator!r}: expected one of {', '.join(ESTIMATORS)}")
