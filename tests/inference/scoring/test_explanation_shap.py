"""Contributions against shap, the library of Lundberg & Lee, where it is installed."""

import numpy as np
import onnxruntime
import pytest

from inference.scoring.explanation import SCALES, Explainer, log_odds

pytestmark = pytest.mark.proof


def row(record):
    return list(record.values())


def array(explanation):
    return np.array(list(explanation.contributions.values()))


def served(model):
    """Give an ONNX model as a callable: probabilities (n, 2) of rows (n, 30)."""
    session = onnxruntime.InferenceSession(model)
    return lambda rows: session.run(["probabilities"], {"record": np.array(rows, np.float32)})[0]


@pytest.fixture
def shap():
    """Give the library of Lundberg & Lee; development does without it."""
    return pytest.importorskip("shap", reason="shap is missing (with numba and pandas: 300 MB)")


@pytest.mark.parametrize(("depth", "within"), [(2, 1e-4), (4, 0.3)])
def test_boosted_trees_get_what_shap_reads_from_the_trees(shap, records, depth, within):
    trees, model = boosted(depth)
    rows = np.array([row(record) for record in records], dtype=np.float32).astype(float)
    tree_explainer = shap.TreeExplainer(trees, rows[:20], feature_perturbation="interventional")
    explainer = Explainer(SCALES["binary"], served(model), row, records[:20], list(records[0]))
    for record, expected in zip(
        records[20:60], tree_explainer.shap_values(rows[20:60]), strict=True
    ):
        explanation = explainer.explain(record)

        assert array(explanation) == pytest.approx(expected, abs=within)
        assert array(explanation) == pytest.approx(
            expected, abs=3 * explanation.standard_error + 1e-4
        )


def boosted(depth):
    """Train on the example's data; give scikit-learn's model and its ONNX file."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.model_selection import train_test_split

    data = load_breast_cancer()
    trees = GradientBoostingClassifier(max_depth=depth, random_state=0)
    flipped = 1 - data.target
    rows, _, labels, _ = train_test_split(  # as the example does, its held-out rows left out
        data.data, flipped, test_size=0.3, random_state=42, stratify=flipped
    )
    # In float64 the conversion could move a threshold past a value.
    trees.fit(rows.astype(np.float32), labels)
    kind = [("record", FloatTensorType([None, 30]))]
    model = to_onnx(trees, initial_types=kind, options={"zipmap": False}, target_opset=17)
    return trees, model.SerializeToString()


@pytest.mark.parametrize("version", ["v1-0-0", "v1-1-0"])
def test_the_example_is_explained_as_shap_does_by_orders(shap, classifier, records, version):
    model = served(classifier / version / "model.onnx")
    rows = np.array([row(record) for record in records])
    masker = shap.maskers.Independent(rows[:20], max_samples=20)
    by_orders = shap.explainers.Permutation(lambda r: log_odds(model(r), 1), masker, seed=1)
    explainer = Explainer(SCALES["binary"], model, row, records[:20], list(records[0]))
    given = [array(explainer.explain(record)) for record in records[20:60]]

    expected = by_orders(rows[20:60], max_evals=4 * 61, silent=True).values

    # Both draw orders; they differ most where log odds end and the model is no longer linear.
    assert np.abs(given - expected).max() < 0.5
    assert np.median(np.abs(given - expected).max(axis=1)) < 0.1
