"""Each claim of notebook 14 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ATTACK = ("Was she in the training set",)
HEAD = (*ATTACK, "Training with noise")
ROWS = [
    Sabotage(
        "The change of the weights that a hospital sends is its patient",
        'change["weight"][0] / change["bias"][0]',
        'change["weight"][0] / change["bias"][1]',
        ("Are weights data",),
    ),
    Sabotage(
        "After fine-tuning LiRA finds many members",
        "np.arange(len(y)) < len(deal.members[1])",
        "np.random.default_rng(5).permutation(len(y)) < len(deal.members[1])",
        ATTACK,
    ),
    Sabotage(
        "With 5 and 100 labels a class LiRA finds more members",
        'f"fine-tuned − public, before, {n}"',
        '"probe, ε = 1 − public, before, 5"',
        ("How many labels",),
        recorded=True,
    ),
    Sabotage(
        "No attack on one noised number finds more members than the ceiling",
        "norm.isf(0.01) - 1 / sigma",
        "norm.isf(0.01) - 2 / sigma",
        ('What "private" can mean',),
    ),
    Sabotage(
        "With a δ of one over the number of batches",
        '"1 / batches": batch / n',
        '"1 / batches": 1 / n',
        (*ATTACK, "A δ of one over the number of batches"),
    ),
    Sabotage(
        "Two steps of these twenty lines are two steps of mtl.dp_fit",
        "(clip / length).clamp(max=1)",
        "(length / clip).clamp(max=1)",
        HEAD,
    ),
    Sabotage(
        "After hundreds of steps the accountant asks for far less",
        "mtl.epsilon(noise, rate, int(number), delta) for",
        "number * mtl.epsilon(noise, rate, 1, delta / number) for",
        ('What "private" can mean', "Keeping account"),
    ),
    Sabotage(
        "After thirty steps at ε = 1 a probe is far ahead",
        '(probe(features["test"][0]).argmax(1)',
        '(head(1)(features["test"][0]).argmax(1)',
        (*HEAD, "From scratch, or on public features"),
    ),
    Sabotage(
        "At ε = 1 and thirty steps the private probe beats the linear model",
        'private.about["primary"], private.primary',
        'private.about["primary"], private.over_cases("probe", "zero-shot", epsilon=1, **here)',
        ("What the record says",),
        recorded=True,
    ),
    Sabotage(
        "The network that saw no row is within 0.02 of the probe",
        '(free, "published table", "small network, from scratch")',
        '("small network, from scratch", "published table", free)',
        ("What the record says",),
        recorded=True,
    ),
    Sabotage(
        "In the mean of six seeds the noise at ε = 1 costs",
        '"noise_multiplier": sigma',
        '"noise_multiplier": 0.0',
        (*HEAD, "From scratch, or on public features", "Who pays"),
    ),
    Sabotage(
        "One step of a federation is one step on all patients together",
        'once = {"rounds": 1,',
        'once = {"rounds": 1, "epochs": 2,',
        ("Four hospitals",),
    ),
    Sabotage(
        "In AUROC FedAvg is within 0.02 of pooled patients",
        '"FedAvg − pooled, auroc"',
        '"FedAvg − own patients alone, auroc"',
        ("Who wins",),
        recorded=True,
    ),
    Sabotage(
        "The new head has ε = 1, and more of the rows",
        "mtl.noise_for(1.0, 200 / 800, 60, 1 / 8000)",
        "mtl.noise_for(3.0, 200 / 800, 60, 1 / 8000)",
        (*HEAD, "The patients of the pre-training"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("14_private_transfer", ROWS)
