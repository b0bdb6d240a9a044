"""The map of the course: what each notebook asks, how long it takes to read, and what it took to run."""

from typing import NamedTuple

from ..assets import card, recorded
from ..console import say
from ..devices import describe
from ..parts import check_choice


class Lesson(NamedTuple):
    """What the map says of a lesson; ``topic`` is its folder in ``medtl_helpers/lessons``."""

    title: str
    question: str
    minutes: int  # to read
    topic: str
    seconds: int = 45  # to run, at most, on twins and two quiet cores


LESSONS = {
    "00_start_here": Lesson("Start here", "What is transfer learning, and how do I read a result?", 25, "start", 60),
    "01_loss_formulation": Lesson("The loss", "What exactly is minimised, and what does λ do?", 35, "hospitals", 60),
    "01b_between_hospitals": Lesson(
        "Between hospitals",
        "What does another hospital's model bring with few labels, and how do I choose λ?",
        30,
        "hospitals",
        60,
    ),
    "02_freezing_vs_finetuning": Lesson("Freezing", "Which weights should train, and how?", 40, "freezing", 60),
    "03_vgg16_keras_recipe": Lesson(
        "VGG16 in Keras", "How is the popular VGG16 recipe done right, step by step?", 45, "vgg16", 60
    ),
    "04_cnn_source_to_target": Lesson(
        "Source to target", "What is one hospital's network worth at another one?", 45, "source_target", 60
    ),
    "05_dann": Lesson("DANN", "Can a network learn a target without labels, and when does that fail?", 45, "dann", 60),
    "06_can_i_trust_this_number": Lesson(
        "Can I trust this number?", "Does it hold for new patients, other hospitals and every group?", 50, "trust"
    ),
    "07_which_source": Lesson(
        "Which source, automatically?", "Which network do I start from, and can a search tell me?", 45, "which_source"
    ),
    "08_adapting_without_labels": Lesson(
        "Adapting without labels", "What do TENT, CORAL, MMD and MCC add to AdaBN and DANN?", 50, "adapting"
    ),
    "09_biological_sequences": Lesson(
        "Biological sequences",
        "Does drawn biology help to read real DNA, and does that need a network?",
        45,
        "sequences",
    ),
    "10_medical_text": Lesson("Medical text", "Pre-train, adapt, or write a rule?", 50, "text"),
    "11_drug_screening": Lesson("Drug screening", "Does pre-training beat eight descriptors?", 50, "drugs"),
    "12_outlines_and_modalities": Lesson(
        "Outlines, and other modalities",
        "Do outlines carry from one modality to another, and must it be a network?",
        50,
        "outlines",
    ),
    "13_what_did_it_look_at": Lesson(
        "What did it look at?", "Can a picture explain an answer, and can it be wrong?", 45, "explanation"
    ),
    "14_private_transfer": Lesson("Private transfer", "What do federation, noise and attacks cost?", 50, "private"),
}


def number_of(name: str) -> str:
    """``"01"`` of ``"01_loss_formulation"``."""
    return name.partition("_")[0]


def course_map():
    """The lessons as a table with links; the seconds are those of the committed timing record."""
    rows = [
        (f"[{name}]({name}.ipynb)", about.title, about.question, f"{about.minutes} min", _seconds(name))
        for name, about in LESSONS.items()
    ]
    return _table(["notebook", "title", "question", "read", "run"], rows)


def begin(name: str) -> None:
    """The first line of every notebook: set the course's figure style, and say how long reading and running take.

    Raises ValueError for a name that is no lesson.
    """
    check_choice(name, "The lesson", LESSONS)
    from .plots import use_style

    use_style()
    say(f"Reading: about {LESSONS[name].minutes} min. Running: {_seconds(name)}.")


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
    by_device: dict[str, list[str]] = {}
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
