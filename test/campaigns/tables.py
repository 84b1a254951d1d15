"""python3 tables.py FOLDER…: scikit-learn's linear model and MLP, with their defaults, on inputs that Lockstep has encoded.

Prints a JSON list of [linear, MLP] for each folder: accuracy of classes, R² of numbers. Both learn from the rows that Lockstep trains on.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.filterwarnings("ignore")
found = []
for seed, name in enumerate(sys.argv[1:]):
    read = lambda part: np.load(pathlib.Path(name) / f"{part}.npy")
    x, y = read("training-x"), read("training-y")
    classes = (pathlib.Path(name) / "classes").exists()
    models = (
        [LogisticRegression(max_iter=1000), MLPClassifier(random_state=seed)]
        if classes
        else [Ridge(), MLPRegressor(random_state=seed)]
    )
    found.append([float(model.fit(x, y).score(read("test-x"), read("test-y"))) for model in models])
print(json.dumps(found))
