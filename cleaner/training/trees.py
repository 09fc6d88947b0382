"""Fit gradient-boosted trees, and write them as arrays and as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

Arrays = dict[str, npt.NDArray[Any]]
_BINS = 255  # of the values of a column
_SAMPLE = 200_000  # rows that bins are laid out by


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """A tree ensemble, fitted on the numbers of the bins that values fall into.

    scikit-learn lays out the bins of weighted rows by a weighted percentile for each edge of each
    column, which takes longer than the trees. Numbers of bins are few, and need no layout.

    Attributes
    ----------
    edges
        For each column the upper ends of its bins but the last, ascending.
    model
        The ensemble.
    """

    edges: Sequence[npt.NDArray[np.floating]]
    model: HistGradientBoostingClassifier

    @classmethod
    def fit(
        cls,
        matrix: npt.NDArray[np.floating],
        labels: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
        *,
        trees: int,
    ) -> Self:
        """Fit `trees` trees; of `matrix`, labels and weights each row is a sample."""
        model = HistGradientBoostingClassifier(
            max_iter=trees,
            learning_rate=0.12,
            max_leaf_nodes=31,
            min_samples_leaf=60,
            l2_regularization=5.0,
            max_features=0.3,
            early_stopping=False,
            random_state=0,
        )
        sample = matrix[:: -(-len(matrix) // _SAMPLE)]
        edges = [_edges(column) for column in sample.T]
        model.fit(_binned(matrix, edges), labels, sample_weight=weights)
        return cls(edges, model)

    def log_odds(self, matrix: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Log-odds of each row, shape (n,)."""
        return np.asarray(self.model.decision_function(_binned(matrix, self.edges)))

    def arrays(self) -> Arrays:
        """The trees as arrays.

        Returns
        -------
        dict
            ``starts`` (trees + 1,), and for every node ``feature`` (-1 at a leaf), ``threshold``,
            ``left``, ``right`` (numbers within the tree), ``value`` (log-odds: a leaf's own, an
            inner node's mean over its training samples), and ``baseline``, shape (1,).
        """
        trees = [group[0].nodes for group in self.model._predictors]  # noqa: SLF001  # no public way to the nodes
        baseline = self.model._baseline_prediction  # noqa: SLF001
        starts = np.cumsum([0] + [len(nodes) for nodes in trees])
        every = np.concatenate(trees)
        value = np.concatenate([_expected(nodes) for nodes in trees])
        leaf = every["is_leaf"].astype(bool)
        return {
            "starts": starts.astype(np.int64),
            "feature": np.where(leaf, -1, every["feature_idx"]).astype(np.int32),
            "threshold": self._thresholds(every, leaf),
            "left": every["left"].astype(np.int32),
            "right": every["right"].astype(np.int32),
            "value": value,
            "baseline": np.asarray(baseline, dtype=np.float64).ravel(),
        }

    def _thresholds(
        self, nodes: npt.NDArray[Any], leaf: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        """Of each node the value up to which a sample goes left: the upper end of a bin."""
        thresholds = np.zeros(len(nodes))
        for index in np.flatnonzero(~leaf):
            node = nodes[index]
            thresholds[index] = self.edges[node["feature_idx"]][int(node["num_threshold"])]
        return thresholds


def _edges(column: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Upper ends of the bins but the last, half way to the next value, which no rounding crosses.

    With few values each has a bin, else each bin its share of the rows.
    """
    values = np.unique(column)
    last = np.arange(len(values) - 1)  # of a bin, by its number among the values
    if len(values) > _BINS:
        shares = np.linspace(0, 1, _BINS + 1)[1:-1]
        quantiles = np.quantile(column, shares, method="inverted_cdf")
        last = np.unique(np.searchsorted(values, quantiles))
        last = last[last < len(values) - 1]
    return np.asarray((values[last] + values[last + 1]) / 2)


def _binned(
    matrix: npt.NDArray[np.floating], edges: Sequence[npt.NDArray[np.floating]]
) -> npt.NDArray[np.float64]:
    """The number of the bin of each value: of how many edges it lies above."""
    binned = np.empty(matrix.shape)
    for column, own in enumerate(edges):
        binned[:, column] = np.searchsorted(own, matrix[:, column], side="left")
    return binned


def _expected(nodes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    value = nodes["value"].astype(np.float64)
    # Children stand behind their parent, so going backwards meets them first.
    for index in range(len(nodes) - 1, -1, -1):
        node = nodes[index]
        if not node["is_leaf"]:
            children = [node["left"], node["right"]]
            weights = nodes["count"][children].astype(np.float64)
            value[index] = np.average(value[children], weights=weights)
    return value


def to_onnx(arrays: Arrays, features: int) -> bytes:
    """The trees as an ONNX model in double precision: ``evidence`` (n, features) to log-odds."""
    from onnx import TensorProto, helper, numpy_helper

    starts, leaf = arrays["starts"], arrays["feature"] < 0
    sizes = np.diff(starts)
    tree = np.repeat(np.arange(len(sizes)), sizes)
    node = np.arange(len(leaf)) - np.repeat(starts[:-1], sizes)
    leaves = np.flatnonzero(leaf)
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        ["evidence"],
        ["odds"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=tree.tolist(),
        nodes_nodeids=node.tolist(),
        nodes_featureids=np.maximum(arrays["feature"], 0).tolist(),
        nodes_values_as_tensor=numpy_helper.from_array(arrays["threshold"], "thresholds"),
        nodes_modes=["LEAF" if is_leaf else "BRANCH_LEQ" for is_leaf in leaf],
        nodes_truenodeids=np.where(leaf, 0, arrays["left"]).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, arrays["right"]).tolist(),
        target_treeids=tree[leaves].tolist(),
        target_nodeids=node[leaves].tolist(),
        target_ids=[0] * len(leaves),
        target_weights_as_tensor=numpy_helper.from_array(arrays["value"][leaves], "weights"),
        base_values_as_tensor=numpy_helper.from_array(arrays["baseline"], "base"),
    )
    graph = helper.make_graph(
        [ensemble],
        "trees",
        [helper.make_tensor_value_info("evidence", TensorProto.DOUBLE, [None, features])],
        [helper.make_tensor_value_info("odds", TensorProto.FLOAT, [None, 1])],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())
