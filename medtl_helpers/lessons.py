"""The map of the course: what each notebook asks, how long it takes to read, and what it took to run."""

from .assets import card, recorded
from .devices import describe

# number and name: (title, question, minutes to read)
LESSONS = {
    "00_start_here": ("Start here", "What is transfer learning, and how do I read a result?", 25),
    "01_loss_formulation": ("The loss", "What exactly is minimised, and what does λ do?", 45),
    "02_freezing_vs_finetuning": ("Freezing", "Which weights should train, and how?", 40),
    "03_vgg16_keras_recipe": ("VGG16 in Keras", "How is the popular VGG16 recipe done right, step by step?", 45),
    "04_cnn_source_to_target": ("Source to target", "What is one hospital's network worth at another one?", 45),
    "05_dann": ("DANN", "Can a network learn a target without labels, and when does that fail?", 45),
}


def course_map():
    """The lessons as a table with links; the seconds are those of the committed timing record."""
    rows = [
        (f"[{name}]({name}.ipynb)", title, question, f"{minutes} min", _seconds(name))
        for name, (title, question, minutes) in LESSONS.items()
    ]
    return _table(["notebook", "title", "question", "read", "run"], rows)


def begin(name: str) -> None:
    """The first line of every notebook: set the course's figure style, and say how long reading and running take."""
    import medtl_helpers.plots  # noqa: F401  sets the style

    print(f"Reading: about {LESSONS[name][2]} min. Running: {_seconds(name)}.")


def environment():
    """The environment check as a table: versions, device, and where real data are looked for."""
    return _table(["what", "here"], describe().items())


def data_cards(*names: str):
    """The cards of some data sets as a table: licence, what they are, and what they must not be used for."""
    rows = [(card(n)["title"], card(n)["licence"], card(n)["what"], card(n)["not_for"]) for n in names]
    return _table(["data", "licence", "what", "what it is not for"], rows)


def _seconds(name: str) -> str:
    """``"34 s with twins, 49 s with real data (cpu, 2 cores; yours may take longer)"``, of the committed record."""
    timings = recorded("timings")
    by_device = {}
    for where, seconds in timings["seconds"].get(name, {}).items():
        device, data = where.split(", ")
        words = {"twin": "twins", "real": "real data"}[data]
        by_device.setdefault(f"{device}, {timings['machine'][where]}", []).append(f"{seconds:.0f} s with {words}")
    said = [f"{', '.join(times)} ({machine}; yours may take longer)" for machine, times in by_device.items()]
    return "; ".join(said) or "not recorded yet"


def _table(head, rows):
    """A Markdown table, which wraps long cells and is read well by screen readers."""
    from IPython.display import Markdown

    lines = [head, ["---"] * len(head), *rows]
    return Markdown("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))
