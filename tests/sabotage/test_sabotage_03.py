"""Each claim of notebook 03 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

TO_PHASE_1 = ("The data", "What runs", "The right", "Phase 1")
TO_PHASE_2 = ("The data", "What runs", "The right", "Phase", "A modern")
TO_THE_TEST = (*TO_PHASE_2, "The test split")

ROWS = [
    Sabotage(
        "Keras 3 has no ImageDataGenerator",
        "keras.optimizers.Adam(lr=1e-3)",
        "keras.optimizers.Adam(learning_rate=1e-3)",
        ("What stops",),
    ),
    Sabotage(
        "After two epochs as found, the network",
        "Adam(learning_rate=1e-3)",
        "Adam(learning_rate=0.0)",
        ("The data", "What runs"),
    ),
    Sabotage(
        "The rate of 1e-3 costs a free trunk more",
        'factors.over_cases("what the rate costs a free trunk more than a frozen one")',
        'factors.over_cases("without the fault: input")',
        ("Which of",),
        recorded=True,
    ),
    Sabotage(
        "With rescale=1/255 different images",
        "untouched[:32]  # the same 32 images",
        "trunk.predict(recipes.preprocess(raw), verbose=0)",
        ("The data", "What runs", "The right"),
    ),
    Sabotage(
        "Keras' preprocess_input changes a float array",
        "\nbefore = images.copy()",
        "\nbefore = images",
        ("The data", "What runs", "The right"),
    ),
    Sabotage(
        "Images that were preprocessed or rescaled",
        "recipes.preprocess(attempt.transpose(0, 3, 1, 2))",
        "recipes.preprocess(raw)",
        ("The data", "What runs", "The right"),
    ),
    Sabotage(
        "Images that were preprocessed or rescaled",
        "block5.predict(maps,",
        "block5.predict(2 * maps,",
        ("The data", "What runs", "The right"),
    ),
    Sabotage(
        "The frozen trunk is the same to the last bit",
        "phase1 = train(head,",
        "trunk.layers[1].set_weights([w * 1.001 for w in trunk.layers[1].get_weights()]); phase1 = train(head,",
        TO_PHASE_1,
    ),
    Sabotage(
        "A layer thawed after training",
        "trainable = True  # thawed, and not compiled",
        'trainable = True; tiny.compile("adam", "mse")',
        TO_PHASE_1,
    ),
    Sabotage(
        "Blocks 1 to 4 did not move",
        'recipes.train_only(top, "block5", "head"',
        'recipes.train_only(top, "head"',
        TO_PHASE_2,
    ),
    Sabotage(
        "On the validation images the kept network",
        'top.predict(block4["val"],',
        'top.predict(block4["val"][::-1].copy(),',
        TO_PHASE_2,
    ),
    Sabotage(
        "The loaded network gives the same",
        "keras.models.load_model(file)",
        "recipes.join(recipes.vgg16_trunk(64, quiet=True), recipes.gap_head(2))",
        TO_PHASE_2,
    ),
    Sabotage(
        "At 224 px Flatten brings",
        "experiment.new_weights(heads, size)",
        "experiment.new_weights(dict.fromkeys(heads, recipes.gap_head), size)",
        ("GAP or",),
        recorded=True,
    ),
    Sabotage(
        "At 64 px Flatten's many weights earn less",
        'gain = splits.over_splits("Flatten", "GAP")',
        'gain = mtl.t_interval(splits.scores("Flatten"))',
        ("GAP or",),
        recorded=True,
    ),
    Sabotage(
        "The network of this notebook finds malignant",
        "probability = answers[:, breast.positive]",
        "probability = answers[:, 1 - breast.positive]",
        TO_THE_TEST,
    ),
    Sabotage(
        "On BreastMNIST without duplicates, the top block",
        "primary, margin = recorded.primary,",
        'primary, margin = recorded.over_cases("top block", None, task="breast", test="native"),',
        ("All images",),
        recorded=True,
    ),
    Sabotage(
        "Logistic regression on all stages",
        'best = "logistic regression, all stages"',
        'best = "logistic regression"',
        ("All images",),
        recorded=True,
    ),
    Sabotage(
        "On PneumoniaMNIST the top block ranks better",
        'patient = "small network, from scratch, 4 × as long"',
        'patient = "logistic regression"',
        ("All images",),
        recorded=True,
    ),
    Sabotage(
        "The central quarter of the image is more",
        "networks.scores(ours), networks.scores(theirs)",
        "networks.scores(theirs), networks.scores(ours)",
        (*TO_THE_TEST, "Where does"),
    ),
    Sabotage(
        "What comes back from the folder",
        "Image.fromarray(image[0].numpy())",
        "Image.fromarray(255 - image[0].numpy())",
        (*TO_THE_TEST, "On your own"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("03_vgg16_keras_recipe", ROWS)
