"""Each claim of notebook 03 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

TO_THE_TEST = ("The data", "What runs", "The right", "The trunk", "Phase", "A modern", "The test split")

ROWS = [
    Sabotage(
        "Keras 3 has no ImageDataGenerator",
        "keras.optimizers.Adam(lr=1e-3)",
        "keras.optimizers.Adam(learning_rate=1e-3)",
        ("What stops",),
    ),
    Sabotage(
        "After two epochs as found, both networks",
        "Adam(learning_rate=1e-3)",
        "Adam(learning_rate=0.0)",
        ("The data", "What runs"),
    ),
    Sabotage(
        "With rescale=1/255 different images",
        "wrong = untouched[:32]",
        "wrong = trunk.predict(recipes.preprocess(raw), verbose=0)",
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
        "Two halves, one after the other",
        "block5.predict(maps,",
        "block5.predict(2 * maps,",
        ("The data", "What runs", "The right", "The trunk"),
    ),
    Sabotage(
        "a head on the frozen trunk ranks the validation images better",
        "network.fit(x, few_labels,",
        "network.fit(x, 1 - few_labels,",
        ("The data", "What runs", "The right", "The trunk"),
    ),
    Sabotage(
        "The frozen trunk is the same to the last bit",
        "phase1 = train(head,",
        "trunk.layers[1].set_weights([w * 1.001 for w in trunk.layers[1].get_weights()]); phase1 = train(head,",
        ("The data", "What runs", "The right", "The trunk", "Phase 1"),
    ),
    Sabotage(
        "A layer thawed after training",
        "trainable = True  # thawed, and not compiled",
        'trainable = True; tiny.compile("adam", "mse")',
        ("The data", "What runs", "The right", "The trunk", "Phase 1"),
    ),
    Sabotage(
        "Blocks 1 to 4 did not move",
        'recipes.train_only(top, "block5", "head"',
        'recipes.train_only(top, "head"',
        ("The data", "What runs", "The right", "The trunk", "Phase", "A modern"),
    ),
    Sabotage(
        "On the validation images the kept network",
        'top.predict(block4["val"],',
        'top.predict(block4["val"][::-1].copy(),',
        ("The data", "What runs", "The right", "The trunk", "Phase", "A modern"),
    ),
    Sabotage(
        "The loaded network gives the same",
        "keras.models.load_model(file)",
        "recipes.join(recipes.vgg16_trunk(64, quiet=True), recipes.gap_head(2))",
        ("The data", "What runs", "The right", "The trunk", "Phase", "A modern"),
    ),
    Sabotage(
        "At 224 px Flatten brings",
        "experiment.new_weights(heads, size)",
        "experiment.new_weights(dict.fromkeys(heads, recipes.gap_head), size)",
        ("The data", "What runs", "The right", "The trunk", "Phase", "A modern", "GAP or"),
    ),
    Sabotage(
        "At 64 px Flatten's many weights earn less",
        "head.fit(x, y, epochs=12",
        "head.fit(x, y if head_of is recipes.flatten_head else 1 - y, epochs=12",
        ("The data", "What runs", "The right", "The trunk", "Phase", "A modern", "GAP or"),
    ),
    Sabotage(
        "The recipe done right finds malignant",
        "top.predict(test_block4, verbose=0)[:, breast.positive]",
        "top.predict(test_block4, verbose=0)[:, 1 - breast.positive]",
        TO_THE_TEST,
    ),
    Sabotage(
        "Training the top block beats the probe",
        'recorded.paired("top block", "probe", task=data)',
        'recorded.paired("full", "probe", task=data)',
        ("All images",),
        recorded=True,
    ),
    Sabotage(
        "Fine-tuning all of VGG16 on BreastMNIST",
        'for way in ("full", "top block")',
        'for way in ("top block", "full")',
        ("All images",),
        recorded=True,
    ),
    Sabotage(
        "Three seeds on PneumoniaMNIST",
        'everything, top_block = both("pneumonia")',
        'everything, top_block = both("pneumonia")[0], both("breast")[1]',
        ("All images",),
        recorded=True,
    ),
    Sabotage(
        "Hiding the warmest quarter",
        "plain - confidence(quarter(heat))",
        "plain - confidence(quarter(-heat))",
        (*TO_THE_TEST, "Where does"),
    ),
    Sabotage(
        "What comes back from the folder",
        "Image.fromarray(image[0].numpy())",
        "Image.fromarray(255 - image[0].numpy())",
        (*TO_THE_TEST, "On your own"),
    ),
]

outcomes, test_live_claims, test_recorded_claims = broken("03_vgg16_keras_recipe", ROWS)
