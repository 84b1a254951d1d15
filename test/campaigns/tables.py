"""python3 tables.py FOLDER: scikit-learn's linear model and MLP, with their defaults, on inputs that Lockstep has encoded.

Prints a JSON list of the two: accuracy of classes, R² of numbers. The MLP's is the mean of four random states: of few rows,
one more or less of them decides.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
x, y, test_x, test_y = (np.load(folder / f"{name}.npy") for name in ("training-x", "training-y", "test-x", "test-y"))
is_class = (folder / "classes").exists()
linear = LogisticRegression(max_iter=1000) if is_class else Ridge()
network = MLPClassifier if is_class else MLPRegressor
states = range(4 if len(x) < 10_000 else 1)
score = lambda model: float(model.fit(x, y).score(test_x, test_y))
print(json.dumps([score(linear), float(np.mean([score(network(random_state=state)) for state in states]))]))
