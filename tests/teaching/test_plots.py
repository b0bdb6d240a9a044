"""Figures: no figure without an alt text, and the text reaches every form of it."""

import pytest


def test_show_refuses_a_figure_without_alt_text_and_passes_the_text_on(monkeypatch):
    import IPython.display
    import matplotlib.pyplot as plt

    import medtl_helpers as mtl

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda forms, **more: shown.append((forms, more)))
    figure = plt.figure()
    with pytest.raises(ValueError, match="alt text"):
        mtl.show(figure, " ")
    mtl.show(figure, 'A "white" page.')
    ((forms, more),) = shown
    assert more == {"metadata": {"image/png": {"alt": 'A "white" page.'}}, "raw": True}  # what the book reads
    assert forms["text/html"].startswith('<img alt="A &quot;white&quot; page." src="data:image/png;base64,iVBOR')
    assert forms["image/png"] in forms["text/html"] and forms["text/plain"] == 'A "white" page.'
    assert not plt.fignum_exists(figure.number)  # closed, so that it is not drawn twice
