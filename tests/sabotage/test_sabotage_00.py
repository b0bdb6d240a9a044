"""Each claim of notebook 00 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "Networks that are accurate on their own scanner",
        "scanner_b(blood.test.x, strength) for",
        "blood.test.x for",
        ("One picture", "The data", "Two traps", "Move", "The result"),
    ),
    Sabotage(
        "The network beats guessing in balanced accuracy",
        "mtl.fit(chest_network, pneumonia.train,",
        "mtl.fit(chest_network, (pneumonia.train.x, pneumonia.train.y.flip(0)),",
        ("One picture", "The data", "Two traps", "How to read"),
    ),
    Sabotage(
        "most alarms of the same network are false",
        "prevalence=prevalence)",
        "prevalence=None)",
        ("One picture", "The data", "Two traps", "How to read", "What is an alarm"),
    ),
    Sabotage(
        "Always answering 'pneumonia'",
        "always = torch.ones_like(truth)",
        "always = truth",
        ("One picture", "The data", "Two traps"),
    ),
    Sabotage(
        "a quarter of the test cases means",
        "for task in (breast, pneumonia))",
        "for task in (breast, breast))",
        ("One picture", "The data", "Two traps", "How to read"),
    ),
    Sabotage(
        "Two points on BreastMNIST are three cases",
        "cases = 3 ",
        "cases = 9 ",
        ("One picture", "The data", "Two traps", "How to read"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("00_start_here", ROWS)
