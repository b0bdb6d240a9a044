"""Each claim of notebook 01 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

FOUR = ("One picture", "Gradient", "Four")

ROWS = [
    Sabotage(
        "A large λ gives the source weights back",
        "lam / 2 *",
        "0 *",
        ("One picture",),
    ),
    Sabotage(
        "The recipe as found stops",
        "target_model.load_weights(name)",
        "target_model.set_weights(source_model.get_weights())",
        ("The recipe",),
    ),
    Sabotage(
        "With a name that Keras 3 accepts",
        "target_model.load_weights(name)",
        'target_model.load_weights(name) if "." not in name else None  # as if it had been saved',
        ("The recipe",),
    ),
    Sabotage(
        "source and target are the same patients",
        "y_target_train, y_test = train_test_split(\n    x, y, test_size=0.2, random_state=42",
        "y_target_train, y_test = train_test_split(\n    x, y, test_size=0.2, random_state=7",
        ("The recipe",),
    ),
    Sabotage(
        "z-scoring takes them away",
        "StandardScaler().fit_transform(one) for one",
        "StandardScaler().fit(table).transform(one) for one",
        ("The recipe", "The same recipe"),
    ),
    Sabotage(
        "z-scoring changes the AUROC by less",
        "StandardScaler().fit(xs), StandardScaler().fit(few)",
        "StandardScaler().fit(xs), StandardScaler().fit(few.to_numpy()[:, ::-1])",
        ("The recipe", "The same recipe"),
    ),
    Sabotage(
        "The gradient of the {name} by hand",
        "lambda z, y: z.sigmoid() - y,",
        "lambda z, y: y - z.sigmoid(),",
        ("The losses",),
    ),
    Sabotage(
        "The gradient of the mean cross-entropy",
        " / len(labels)",
        "",
        ("The losses",),
    ),
    Sabotage(
        "Where the model is surely wrong",
        "torch.linspace(-6, 6,",
        "torch.linspace(6, -6,",
        ("The losses",),
    ),
    Sabotage(
        "Gradient descent by hand",
        "theta -= 0.5 *",
        "theta += 0.5 *",
        ("One picture", "Gradient"),
    ),
    Sabotage(
        "L2-SP in one line",
        "sum(0.5 * (p",
        "sum(1.0 * (p",
        FOUR,
    ),
    Sabotage(
        "The gradient of L2-SP pulls every weight back",
        "torch.autograd.grad(mtl.L2SP(theta_0)(model)",
        "torch.autograd.grad(hospitals.plain_l2()(model)",
        FOUR,
    ),
    Sabotage(
        "The model's Fisher information agrees",
        "(p * (1 - p)).T",
        "(p * p).T",
        FOUR,
    ),
    Sabotage(
        "The empirical Fisher information is another",
        "source.model, source.x, source.y)",
        "source.model, source.x)",
        FOUR,
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("01_loss_formulation", ROWS)
