from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import ImageFont

from detectattn.drawing import font_files, fonts
from detectattn.drawing.font_files import FontFile, rank_fonts
from detectattn.drawing.fonts import clean_text, find_font, missing_glyphs, split_runs


@pytest.fixture(scope="session")
def dejavu():
    """DejaVu Sans as matplotlib ships it: Greek, Cyrillic, Hebrew, Arabic, but no Korean."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        pytest.skip("matplotlib, whose fonts this test borrows, is not installed")
    return FontFile(Path(spec.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf")


@pytest.fixture
def hangul_font(tmp_path, dejavu):
    """A font that draws 강아지: DejaVu Sans with other letters' shapes under these characters."""
    tools = pytest.importorskip("fontTools.ttLib", reason="fontTools makes the font for this test")
    font = tools.TTFont(dejavu.path)
    for table in font["cmap"].tables:
        if table.isUnicode() and table.format == 12:
            table.cmap = {ord(c): table.cmap[ord(s)] for c, s in zip("강아지 0", "ABC 0", strict=True)}
    font["cmap"].tables = [table for table in font["cmap"].tables if table.format == 12]
    path = tmp_path / "Hangul.ttf"
    font.save(path)
    return FontFile(path)


def test_plain_latin_needs_no_installed_font(monkeypatch):
    monkeypatch.setattr(fonts, "installed_fonts", lambda: pytest.fail("the installed fonts were searched"))
    choice = find_font("traffic light 0.87", 20)
    assert (choice.file, choice.missing) == (None, frozenset())
    assert isinstance(choice.load(), ImageFont.FreeTypeFont)
    assert missing_glyphs({0: "person", 1: "stop_sign"}) is None


@pytest.mark.parametrize("text", ["собака", "σκύλος", "Straßenbahn", "héron cendré", "כלב"])
def test_a_font_that_covers_the_text_is_taken(text, dejavu):
    assert find_font(text, 20, (dejavu,)) == fonts.FontChoice(dejavu, 20)
    assert find_font(text, 20, ()).missing == frozenset(c for c in text if not c.isascii())


def test_a_korean_name_draws_as_itself_where_a_font_covers_it(dejavu, hangul_font):
    choice = find_font("강아지", 18, (dejavu, hangul_font))
    assert (choice.file, choice.missing) == (hangul_font, frozenset())
    assert missing_glyphs(["강아지"], (dejavu, hangul_font)) is None


def test_a_korean_name_without_a_font_is_said(dejavu):
    assert find_font("강아지", 18, (dejavu,)).missing == frozenset("강아지")
    sentence = missing_glyphs({0: "person", 1: "강아지"}, (dejavu,))
    assert sentence == (
        "No installed font draws Hangul (as in '강아지'); install Noto Sans CJK (package fonts-noto-cjk) and these "
        "names will show as themselves"
    )


@pytest.mark.parametrize(
    ("names", "said", "wanted"),
    [
        (["人", "ひと"], "Chinese characters (as in '人') and Hiragana (as in 'ひと')", "Noto Sans CJK"),
        (["สุนัข"], "Thai", "Noto Sans Thai"),
        (["कुत्ता", "사람", "ไทย"], "Devanagari (as in 'कुत्ता'), Hangul (as in '사람') and Thai", "Noto Sans Devanagari"),
        (["🐶 dog"], "emoji", "Noto Emoji"),
        (["→ left"], "symbols", "Noto Sans Symbols 2"),
    ],
)
def test_the_missing_script_and_a_font_for_it_are_named(names, said, wanted):
    sentence = missing_glyphs(names, ())
    assert f"No installed font draws {said}" in sentence
    assert wanted in sentence


def test_a_name_of_two_scripts_is_drawn_with_two_fonts(dejavu, hangul_font):
    # The Korean font has no Latin letters, so no one font has it all.
    runs = split_runs("dog (강아지)", 20, (hangul_font,))
    assert [(text, choice.file) for text, choice in runs] == [("dog (", None), ("강아지", hangul_font), (")", None)]
    assert split_runs("dog", 20, (hangul_font,)) == (("dog", find_font("dog", 20)),)


def test_unjoined_letters_are_said_where_pillow_cannot_shape(monkeypatch, dejavu):
    monkeypatch.setattr(fonts.features, "check", lambda feature: feature != "fribidi")
    assert "Arabic letters will not join" in missing_glyphs(["كلب"], (dejavu,))
    assert missing_glyphs(["собака"], (dejavu,)) is None


def test_a_file_that_is_no_font_is_passed_over(tmp_path, dejavu):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"not a font")
    assert find_font("собака", 20, (FontFile(broken), FontFile(tmp_path / "gone.ttf"), dejavu)).file == dejavu


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  a \n b\t", "a b"),
        ("a\x00b", "a b"),
        ("\u1100\u1161", "가"),
        ("e\u0301", "é"),
        ("क\u200dष", "क\u200dष"),
        ("\n", ""),
    ],
)
def test_text_becomes_one_printable_line(text, clean):
    assert clean_text(text) == clean


def test_upright_regular_sans_comes_first():
    good, barred = ["NotoSans-Regular.ttf", "NotoSans-Bold.ttf"], {"Font.pfb", "LastResort.otf"}
    names = ["NotoSerifCJK-Regular.ttc", "NotoSansMono-Bold.ttf", "NotoSans-Italic.ttf", *barred, *reversed(good)]
    ranked = [font.path.name for font in rank_fonts(FontFile(Path(name)) for name in names)]
    assert ranked[:2] == good
    assert set(names) - set(ranked) == barred


@pytest.fixture
def fresh_lookup():
    font_files.installed_fonts.cache_clear()
    yield
    font_files.installed_fonts.cache_clear()


def test_fonts_are_found_without_fontconfig(monkeypatch, tmp_path, dejavu, fresh_lookup):
    nested = tmp_path / "truetype/some"
    nested.mkdir(parents=True)
    (nested / "Own.ttf").write_bytes(dejavu.path.read_bytes())
    (nested / "readme.txt").write_text("not a font")
    monkeypatch.setattr(font_files.shutil, "which", lambda _: None)
    monkeypatch.setattr(font_files, "_font_folders", lambda: (tmp_path, tmp_path / "absent"))
    found = font_files.installed_fonts()
    assert nested / "Own.ttf" in [font.path for font in found]
    assert find_font("собака", 20, found).missing == frozenset()


def test_fonts_that_fontconfig_lists_are_taken(monkeypatch, tmp_path, fresh_lookup):
    program = tmp_path / "fc-list"
    lines = "/fonts/NotoSansCJK.ttc\\t131074\\tNoto Sans CJK KR\\tRegular\\n/fonts/A.pcf\\t0\\tA\\tB\\nx\\n"
    program.write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(font_files.shutil, "which", lambda _: str(program))
    assert font_files.installed_fonts()[0] == FontFile(Path("/fonts/NotoSansCJK.ttc"), 2, "noto sans cjk kr regular")
