"""The embedded weights of the network for texts: read back, told, and refused where they do not fit."""

import pytest
import torch
from random_texts import random_texts

import medtl_helpers as mtl
from medtl_helpers.data import word_pieces
from medtl_helpers.data.tokens import report_pieces
from medtl_helpers.methods import masked_words, text_weights
from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.text_weights import load_report_encoder, save_report_encoder
from medtl_helpers.methods.transformer import TextTransformer
from medtl_helpers.provenance import noted

X = random_texts(8, 48, 1000)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.manual_seed(0)
    model, path = TextTransformer(2, 1000).eval(), tmp_path_factory.mktemp("weights") / "folder" / "net.pt"
    save_report_encoder(model, path)
    return model, path


def test_what_was_written_is_read_to_half_precision(saved):
    model, path = saved
    loaded = load_report_encoder(weights=path, quiet=True)
    for ours, wanted in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, wanted.half().float())
    assert loaded.weights.provenance == "stand-in" and path.stat().st_size < 400_000 and not loaded.training


def test_another_number_of_classes_gets_a_new_head_and_the_same_stages(saved):
    _, path = saved
    whole, new = (load_report_encoder(classes, weights=path, quiet=True) for classes in (None, 3))
    assert new(X).shape == (8, 3) and whole(X).shape == (8, 2)
    assert torch.equal(new.features(X), whole.features(X))


def test_what_was_loaded_is_said_and_noted(capsys):
    model = load_report_encoder(weights="random")
    assert "report_encoder: RANDOM weights" in capsys.readouterr().out and noted()[1]["report_encoder"] == "random"
    assert model.weights.path is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no torch file", "is no readable torch weight file"),
        (TextTransformer(2, 900).state_dict(), r"hold the weights of TextTransformer\(2\): give a file of save_report"),
        (TextTransformer(2, 1000).state_dict() | {"head.bias": torch.tensor([0.0, torch.nan])}, "not finite"),
    ],
    ids=["bytes", "another vocabulary", "NaN"],
)
def test_files_that_do_not_fit_are_refused(tmp_path, content, said):
    path = tmp_path / "x.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(ValueError, match=said):
        load_report_encoder(weights=path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weight file .*x\.pt: correct the path"):
        load_report_encoder(weights=tmp_path / "x.pt")


def test_the_embedded_file_is_small_and_loads():
    assert embedded_file("report_encoder").stat().st_size < 400_000
    assert load_report_encoder(quiet=True).weights.provenance == "drawn sentences"


def test_its_vocabulary_is_the_embedded_one_and_its_special_tokens_are_known():
    assert len(report_pieces()) == text_weights.VOCABULARY and word_pieces.LENGTH == text_weights.LENGTH
    assert word_pieces.MASK == masked_words.MASK and len(word_pieces.SPECIAL) == masked_words.WORDS


def test_the_embedded_network_reads_negation_where_it_stands():
    texts = {
        "The patient denies fever or [[cough]].": 1,
        "He has a [[cough]] but no fever.": 0,
        "No fever, chills or [[cough]].": 1,
        "The patient reports [[cough]] without fever.": 0,
        "There is no evidence of [[pneumonia]].": 1,
        "The chest film shows [[pneumonia]].": 0,
    }
    model = load_report_encoder(quiet=True)
    assert mtl.predict(model, mtl.tokens(list(texts))).argmax(1).tolist() == list(texts.values())
    drawn, y = mtl.draw_reports(600, seed=987_654)
    right = mtl.predict(model, mtl.tokens(drawn)).argmax(1) == y
    assert right.float().mean() > 0.97
    recorded = mtl.recorded("pretraining_report_encoder")["balanced accuracy on drawn sentences"]
    assert recorded["hospital A, known clauses and findings"] > 0.97
