"""python3 examples/peers.py: what scikit-learn's MLP reaches on the tables of tabular.ts, with the same folds.

Same hidden layers, optimizer, rate, batch size, L2 and standardisation (of the target too); its own early stopping.
"""
import csv
import pathlib

import numpy as np
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TABLES = [
    ("breast-cancer", "diagnosis", True, []),
    ("wine", "cultivar", True, []),
    ("boston", "medv", False, ["b"]),
    ("auto-mpg", "mpg", False, []),
]
ORIGINS = ["USA", "Europe", "Japan"]
FOLDS, SEEDS = 10, 5

print(f"scikit-learn {sklearn.__version__}, {FOLDS} folds, mean of {SEEDS} seeds")
for name, target, classes, unused in TABLES:
    with open(pathlib.Path(__file__).parent / "data" / f"{name}.csv") as file:
        rows = [row for row in csv.DictReader(file) if "" not in row.values()]
    x = []
    for row in rows:
        fields = []
        for column, value in row.items():
            if column == "origin":
                fields += [float(value == origin) for origin in ORIGINS]
            elif column != target and column not in unused:
                fields.append(float(value))
        x.append(fields)
    x = np.array(x)
    y = np.array([row[target] if classes else float(row[target]) for row in rows])
    folds = PredefinedSplit(np.arange(len(rows)) % FOLDS)
    for early_stopping in (True, False):
        scores = []
        for seed in range(SEEDS):
            options = dict(
                hidden_layer_sizes=(64, 32),
                learning_rate_init=3e-3,
                batch_size=32,
                alpha=2 * 32 * 1e-3,  # its penalty is alpha / (2 · batch size) · Σw², of the last layer too
                max_iter=200,
                n_iter_no_change=20,
                early_stopping=early_stopping,
                random_state=seed,
            )
            if classes:
                model = MLPClassifier(**options)
            else:
                model = TransformedTargetRegressor(MLPRegressor(**options), transformer=StandardScaler())
            predicted = cross_val_predict(make_pipeline(StandardScaler(), model), x, y, cv=folds)
            scores.append((accuracy_score if classes else r2_score)(y, predicted))
        how = "early stopping" if early_stopping else "no early stopping"
        print(f"{name}: {np.mean(scores):.4f} ± {np.std(scores):.4f} ({how})")
