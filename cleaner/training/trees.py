"""Take scikit-learn's gradient-boosted trees apart: as arrays, and as ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


def tree_arrays(model: Any) -> Arrays:
    """The trees of a fitted ``HistGradientBoostingClassifier`` with two classes.

    Returns
    -------
    dict
        ``starts`` (trees + 1,), and for every node ``feature`` (-1 at a leaf), ``threshold``,
        ``left``, ``right`` (numbers within the tree), ``value`` (log-odds: a leaf's own, an inner
        node's mean over its training samples), and ``baseline``, shape (1,).
    """
    trees = [group[0].nodes for group in model._predictors]  # noqa: SLF001  # no public way to the nodes
    baseline = model._baseline_prediction  # noqa: SLF001
    starts = np.cumsum([0] + [len(nodes) for nodes in trees])
    every = np.concatenate(trees)
    value = np.concatenate([_expected(nodes) for nodes in trees])
    leaf = every["is_leaf"].astype(bool)
    return {
        "starts": starts.astype(np.int64),
        "feature": np.where(leaf, -1, every["feature_idx"]).astype(np.int32),
        "threshold": np.where(leaf, 0.0, every["num_threshold"]),
        "left": every["left"].astype(np.int32),
        "right": every["right"].astype(np.int32),
        "value": value,
        "baseline": np.asarray(baseline, dtype=np.float64).ravel(),
    }


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
