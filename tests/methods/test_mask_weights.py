"""The embedded weights of the U-Net: read back, told, and refused where they do not fit."""

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.mask_weights import load_nuclei_unet, nuclei_unet, save_nuclei_unet
from medtl_helpers.methods.unet import UNet
from medtl_helpers.provenance import noted


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.manual_seed(0)
    model, path = nuclei_unet().eval(), tmp_path_factory.mktemp("weights") / "folder" / "net.pt"
    save_nuclei_unet(model, path)
    return model, path


def test_what_was_written_is_read_to_half_precision(saved):
    model, path = saved
    loaded = load_nuclei_unet(weights=path, quiet=True)
    for ours, wanted in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, wanted.half().to(wanted.dtype))
    assert loaded.weights.provenance == "stand-in" and path.stat().st_size < 400_000 and not loaded.training


def test_what_was_loaded_is_said_and_noted(capsys):
    model = load_nuclei_unet(weights="random")
    assert "nuclei_unet: RANDOM weights" in capsys.readouterr().out and noted()[1]["nuclei_unet"] == "random"
    assert model.weights.path is None and sum(p.numel() for p in model.parameters()) < 200_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no torch file", "is no readable torch weight file"),
        (UNet(3, 2, 4).state_dict(), r"hold the weights of UNet\(2\): give a file of save_nuclei_unet"),
        (nuclei_unet().state_dict() | {"head.bias": torch.tensor([0.0, torch.nan])}, "not finite"),
    ],
    ids=["bytes", "another width", "NaN"],
)
def test_files_that_do_not_fit_are_refused(tmp_path, content, said):
    path = tmp_path / "x.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(ValueError, match=said):
        load_nuclei_unet(weights=path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weight file .*x\.pt: correct the path"):
        load_nuclei_unet(weights=tmp_path / "x.pt")


def test_the_embedded_file_is_small_and_loads(capsys):
    assert embedded_file("nuclei_unet").stat().st_size < 400_000
    assert load_nuclei_unet().weights.provenance == "drawn nuclei"
    assert "pre-trained on nuclei drawn by code" in capsys.readouterr().out


def test_the_embedded_network_outlines_newly_drawn_nuclei_also_of_kinds_that_it_never_saw():
    model, recorded = load_nuclei_unet(quiet=True), mtl.recorded("pretraining_nuclei_unet")["Dice on drawn pictures"]
    for kind in ("any", "histology"):
        x, y = mtl.draw_nuclei(24, kind=kind, size=96, seed=987_654)
        assert mtl.dice(mtl.predict_masks(model, x), y).mean() == pytest.approx(recorded[kind], abs=0.1)
