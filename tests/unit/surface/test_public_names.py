from pathlib import Path

import everytick


def test_every_public_name_is_there_and_in_the_stub() -> None:
    text = Path(everytick.__file__).with_suffix(".pyi").read_text("utf-8")
    for name in everytick.__all__:
        assert getattr(everytick, name) is not None
        assert f'"{name}"' in text


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(everytick, "Celery")
