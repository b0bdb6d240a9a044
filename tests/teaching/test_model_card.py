"""The card says what is known and asks for the rest; the guidelines' items are all there, by their own numbers."""

from medtl_helpers.methods.intervals import Interval
from medtl_helpers.teaching.model_card import FACTS, PEOPLE, SECTIONS, model_card, reporting_items
from medtl_helpers.teaching.reporting import items

FIGURES = {"AUROC": Interval(0.8, 0.7, 0.9, "stratified bootstrap over test cases", 40)}
PARTS = {3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef", 20: "abc", 23: "ab", 27: "abc"}


def test_every_fact_stands_once_in_the_card():
    keys = [key for section in SECTIONS.values() for key in section]
    assert sorted(keys) == sorted(FACTS)
    card = model_card({key: f"Answer to {key}." for key in FACTS})
    assert all(card.count(f"- Answer to {key}.") == 1 for key in FACTS)
    assert "To be answered" not in card and "Not looked" not in card


def test_what_is_not_known_stands_there_as_a_question_and_the_card_says_what_it_is_not():
    card = model_card({"metrics": FIGURES, "use": ""})
    assert "AUROC 0.800 [0.700, 0.900]." in card
    assert f"To be answered by people: {FACTS['use']}" in card and FACTS["metrics"] not in card
    assert f"Not looked at here: {FACTS['subgroups']}" in card
    assert "no evidence that the model may be used" in card.splitlines()[0]


def test_tripod_ai_has_27_items_in_52_parts_and_claim_44():
    numbers = {"TRIPOD+AI": [], "CLAIM": []}
    for guideline, number, *_ in items():
        numbers[guideline].append(number)
    whole = [f"{n}{part}" for n in range(1, 28) for part in PARTS.get(n, [""])]
    assert numbers == {"TRIPOD+AI": whole, "CLAIM": [str(n) for n in range(1, 45)]}
    assert len(whole) == 52


def test_items_name_facts_that_there_are_and_say_what_they_ask_in_a_sentence():
    for guideline, number, section, asks, keys, whole in items():
        assert set(keys) <= set(FACTS), (guideline, number)
        assert asks[0].isupper() and asks.endswith(".") and section, (guideline, number)
        assert keys or not whole, (guideline, number)


def test_an_item_is_filled_by_all_its_facts_in_part_by_some_and_by_no_run_where_only_people_know():
    table = reporting_items({"sizes": "100 patients.", "splits": "By patient.", "labels": "Two readers."})
    filled = table.set_index(["guideline", "item"])["filled"]
    assert filled["TRIPOD+AI", "12a"] == "yes"  # sizes and splits are all that it asks for
    assert filled["CLAIM", "35"] == "in part"  # of sizes and left_out, one
    assert filled["CLAIM", "21"] == "in part"  # sizes alone do not say why
    assert filled["CLAIM", "16"] == "in part"  # what people wrote counts
    assert filled["TRIPOD+AI", "19"] == filled["TRIPOD+AI", "17"] == "only people"
    assert filled["CLAIM", "24"] == "not yet"
    assert "100 patients." in table.set_index(["guideline", "item"])["answer"]["TRIPOD+AI", "21"]
    assert set(reporting_items()["filled"]) == {"not yet", "only people"}
    assert set(PEOPLE) <= set(FACTS)
