"""What ``test_determinism.py`` runs in processes of their own: a hash of every kind of result, for each seed given."""

import hashlib
import json
import os
import sys

os.environ["MEDTL_DATA"] = "twin"

import numpy as np
import torch

import medtl_helpers as mtl
from medtl_helpers.data import domains, pretraining
from medtl_helpers.lessons.hospitals import experiment as hospitals
from medtl_helpers.methods import adabn, backbones, dann, transferability
from medtl_helpers.methods import keras_recipes as recipes


def digest(*arrays) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(torch.as_tensor(array).detach().cpu().numpy()).tobytes())
    return found.hexdigest()[:16]


def state(model) -> str:
    return digest(*model.state_dict().values())


def results(seed: int) -> dict[str, str]:
    found = {}
    cells = pretraining.held_out_task(10, seed, size=28)
    found["phantoms"] = digest(cells.train.x, cells.test.x)
    found["few labels"] = digest(mtl.few_shot(mtl.load("pneumonia", quiet=True), 10, seed=seed).train.x)

    mtl.seed_everything(seed)
    model = mtl.CourseCNN(3, 3, norm="batch")
    options = {"epochs": 2, "seed": seed, "augment": mtl.augment, "progress": False}
    mtl.fit(model, cells.train, cells.val, **options)
    found["fit"], found["predictions"] = state(model), digest(mtl.predict(model, cells.test.x))

    model = backbones.small_resnet(3, 8)
    mtl.fine_tune(model, cells.train, cells.val, frozen_upto="layer2", **options)
    found["fine-tuning on a cache"] = state(model)
    mtl.lp_ft(model, cells.train, cells.val, probe_epochs=1, **options)
    found["LP-FT"] = state(model)
    found["stage features"] = digest(mtl.stage_features(model, cells.test.x[:32]))

    source, target = domains.smear_domains("texture", seed, strength=0.6)
    network = dann.DANN(mtl.CourseCNN(3, 0, norm="batch"), 64, 8)
    network.fit(source.train.x[:256], source.train.y[:256], target.train.x[:256], epochs=2, seed=seed, progress=False)
    found["DANN"] = state(network)
    adabn.adapt_batch_norm(network, target.train.x[:256])
    found["AdaBN"] = state(network)
    features = network.features(mtl.to_float(target.test.x[:64])), network.features(mtl.to_float(source.test.x[:64]))
    found["proxy A-distance"] = digest(transferability.proxy_a_distance(*(f.detach() for f in features), seed=seed))

    cleveland, hungary = (mtl.load("heart", site=site, quiet=True) for site in ("cleveland", "hungary"))
    rows = hospitals.sweep(hospitals.train_source(cleveland), hungary, 20, seed, choose=False)
    found["hospitals"] = hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
    probability = mtl.predict(model, cells.test.x).numpy()
    report = mtl.bootstrap_metrics(cells.test.y.numpy(), probability, seed=seed)
    found["intervals"] = hashlib.sha256(repr(report).encode()).hexdigest()[:16]

    mtl.seed_everything(seed)
    head = recipes.keras.Sequential([recipes.keras.Input((2, 2, 512)), *recipes.flatten_head(3, 32)])
    recipes.train_only(head, "head", lr=1e-3)
    x = np.random.default_rng(seed).normal(size=(48, 2, 2, 512)).astype("float32")
    head.fit(x, np.arange(48) % 3, epochs=2, batch_size=16, verbose=0)
    found["Keras"] = digest(*head.get_weights())
    mtl.seed_everything(seed)
    trunk = recipes.vgg16_trunk(32, "random", quiet=True)
    found["VGG16 in Keras"] = digest(recipes.features(trunk, pretraining.held_out_task(2, seed, size=32).test.x[:8]))
    return found


if __name__ == "__main__":
    print(json.dumps([results(int(seed)) for seed in sys.argv[1:]]))
