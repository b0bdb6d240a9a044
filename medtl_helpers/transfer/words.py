"""Ways to transfer in words, for people: what a network began with, what was trained, and how it was chosen."""


def model_in_words(found) -> str:
    """What answers: one network, or the mean of several."""
    if not found.averaged:
        return way_in_words(found.way)
    ways = "; ".join(way_in_words(way) for way in found.averaged)
    return f"the mean of the probabilities of {len(found.averaged)} networks: {ways}"


def selection(found, n_ways: int) -> str:
    """How the network, or the networks, came to be chosen."""
    tried = f"{n_ways} ways that were tried ({found.stopped})"
    if not found.averaged:
        return (
            f"It had the lowest log loss on validation among {tried}; its scores there have chosen it and flatter it."
        )
    return (
        f"Its first network had the lowest log loss on validation among {tried}, and the others the lowest of their "
        "sources, which is not clearly higher; their scores there have chosen them and flatter them."
    )


def source_in_words(source: str) -> str:
    """What ``auto_transfer`` calls "resnet, phantoms", for people."""
    network, _, weights = source.partition(", ")
    names = {"resnet": "a ResNet", "vgg16": "VGG16"}
    trained = {
        "phantoms": "pre-trained on phantoms that were drawn by code",
        "ImageNet": "pre-trained on the photographs of ImageNet",
        "stand-in": "with the stand-in weights of a file",
        "random": "with random weights, trained on nothing",
    }
    if network not in names:
        return "a small network that starts at random" if network == "small network" else source
    return f"{names[network]} {trained.get(weights, weights)}"


def way_in_words(way) -> str:
    """A way to transfer, for people: what the network is, and which part of it was trained how."""
    part = "all of it" if way.depth == "everything" else f"what lies {way.depth}"
    trained = {
        "all stages": f"a logistic regression on the features of all its frozen stages (C = {way.rate:g})",
        "probe": f"a new last layer alone trained on its frozen features (rate {way.rate:g})",
        "fine_tune": f"{part} fine-tuned (rate {way.rate:g})",
        "lp_ft": f"first a new last layer, then all of it fine-tuned (rate {way.rate:g})",
    }
    return f"{source_in_words(way.source)}, {trained.get(way.way, f'trained {way.way} (rate {way.rate:g})')}"


def names_joined(names, last: str) -> str:
    """The names in one phrase, with the word before the last one."""
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
