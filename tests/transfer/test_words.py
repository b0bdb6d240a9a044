"""Every way to transfer has words, one network and several of them."""

from types import SimpleNamespace

from medtl_helpers.methods.ways import RATES, Way, known_sources
from medtl_helpers.transfer.words import model_in_words, names_joined, selection, source_in_words, way_in_words

FIRST, SECOND = Way("resnet, phantoms", "probe", "head", 0.01), Way("vgg16, stand-in", "lp_ft", "everything", 0.001)


def test_every_way_and_source_has_words():
    for source in (*known_sources(), "small network"):
        assert source_in_words(source) != source
        for way in RATES:
            told = way_in_words(Way(source, way, "everything", 0.01))
            assert told.startswith(source_in_words(source)) and "0.01" in told
    assert source_in_words("my own, tuned") == "my own, tuned"


def test_one_network_is_told_as_one():
    found = SimpleNamespace(way=FIRST, averaged=(), stopped="search complete")
    assert model_in_words(found) == way_in_words(FIRST)
    assert selection(found, 7).startswith("It had the lowest log loss on validation among 7 ways")


def test_several_networks_are_all_told():
    found = SimpleNamespace(way=FIRST, averaged=(FIRST, SECOND), stopped="search complete")
    told = model_in_words(found)
    assert told.startswith("the mean of the probabilities of 2 networks: ")
    assert all(way_in_words(way) in told for way in found.averaged)
    assert "the others the lowest of their sources, which is not clearly higher" in selection(found, 7)


def test_names_are_joined_as_in_a_sentence():
    assert [names_joined(list(names), "and") for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]
