"""Makes scores.npz: objectives, metrics and weighted losses as the real Keras 1.2.2 computes them."""

# mypy: ignore-errors
import os

import numpy as np
from keras import backend as K
from keras import metrics, objectives
from keras.engine.training import weighted_objective

HERE = os.path.dirname(os.path.abspath(__file__))

OBJECTIVES = [
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "squared_hinge",
    "hinge",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "binary_crossentropy",
    "kullback_leibler_divergence",
    "poisson",
    "cosine_proximity",
]
METRICS = [
    *OBJECTIVES,
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "matthews_correlation",
    "precision",
    "recall",
    "fbeta_score",
    "fmeasure",
]


def targets(name, shape, rng):
    """Targets of the kind that an objective or metric wants."""
    classes = rng.randint(0, shape[-1], shape[:-1])
    if name.startswith("sparse"):
        return classes[..., None].astype("float32")
    if name in ("categorical_crossentropy", "categorical_accuracy", "kullback_leibler_divergence"):
        return np.eye(shape[-1], dtype="float32")[classes]
    if "hinge" in name:
        return rng.choice([-1.0, 1.0], shape).astype("float32")
    if name == "poisson":
        return rng.randint(0, 5, shape).astype("float32")
    if (name in METRICS and name not in OBJECTIVES) or name == "binary_crossentropy":
        return rng.choice([0.0, 1.0], shape).astype("float32")
    return rng.normal(0, 1, shape).astype("float32")


def predictions(shape, rng):
    """Probabilities that do not quite sum to 1, among them 0, 1 and values near them."""
    p = rng.uniform(0, 1, shape)
    p = p / p.sum(-1, keepdims=True) * 1.1
    flat = p.reshape(-1)
    flat[:5] = [0.0, 1.0, 1e-9, 1 - 1e-8, 0.5]
    return p.astype("float32")


def placeholders(t, p):
    return K.placeholder(shape=t.shape), K.placeholder(shape=p.shape)


def main():
    arrays = {}
    for rank, shape in ((2, (6, 5)), (3, (4, 3, 7))):
        for i, name in enumerate(OBJECTIVES):
            rng = np.random.RandomState(10 * rank + i)
            t, p = targets(name, shape, rng), predictions(shape, rng)
            y, x = placeholders(t, p)
            score = getattr(objectives, name)(y, x)
            values = K.function([y, x], [score, K.gradients(K.sum(score), [x])[0]])([t, p])
            where = f"objective/{name}/{rank}"
            arrays[where + "/t"], arrays[where + "/p"] = t, p
            arrays[where + "/score"], arrays[where + "/grad"] = values
    for i, name in enumerate(METRICS):
        rng = np.random.RandomState(50 + i)
        t, p = targets(name, (40, 6), rng), predictions((40, 6), rng)
        y, x = placeholders(t, p)
        arrays[f"metric/{name}/t"], arrays[f"metric/{name}/p"] = t, p
        arrays[f"metric/{name}/value"] = K.function([y, x], [getattr(metrics, name)(y, x)])([t, p])[0]
    rng = np.random.RandomState(80)
    t, p = targets("categorical_accuracy", (40, 9), rng), predictions((40, 9), rng)
    p[:, 3] = p[:, 5]  # ties
    y, x = placeholders(t, p)
    for k in (1, 3, 5):
        value = K.function([y, x], [metrics.top_k_categorical_accuracy(y, x, k)])([t, p])[0]
        arrays[f"top_k/{k}"] = value
    arrays["top_k/t"], arrays["top_k/p"] = t, p
    arrays.update(weighted_losses())
    np.savez_compressed(os.path.join(HERE, "scores.npz"), **arrays)


def weighted_losses():
    arrays = {}
    rng = np.random.RandomState(90)
    cases = {
        "flat_weights": ((6, 5), (6,), None),
        "flat_zero_weights": ((6, 5), (6,), None),
        "steps_weights_by_sample": ((5, 4, 3), (5,), None),
        "steps_weights_by_step": ((5, 4, 3), (5, 4), None),
        "steps_mask": ((5, 4, 3), (5,), (5, 4)),
        "steps_mask_weights_by_step": ((5, 4, 3), (5, 4), (5, 4)),
        "images_weights": ((4, 3, 2, 5), (4,), None),
    }
    for case, (shape, weight_shape, mask_shape) in sorted(cases.items()):
        for name in ("mean_squared_error", "categorical_crossentropy"):
            t = targets(name, shape, rng)
            p = rng.uniform(0.05, 1, shape).astype("float32")
            w = rng.uniform(0.5, 2, weight_shape).astype("float32")
            if "zero" in case or "by_step" in case:
                w[rng.uniform(size=weight_shape) < 0.4] = 0
            y, x = placeholders(t, p)
            weights = K.placeholder(shape=weight_shape)
            inputs, values = [y, x, weights], {"t": t, "p": p, "w": w}
            mask = None
            if mask_shape:
                values["m"] = (rng.uniform(size=mask_shape) < 0.6).astype("float32")
                mask = K.placeholder(shape=mask_shape)
                inputs.append(mask)
            loss = weighted_objective(getattr(objectives, name))(y, x, weights, mask)
            found = K.function(inputs, [loss, K.gradients(loss, [x])[0]])(list(values.values()))
            values["value"], values["grad"] = found
            arrays.update((f"loss/{case}/{name}/{key}", array) for key, array in values.items())
    return arrays


if __name__ == "__main__":
    main()
