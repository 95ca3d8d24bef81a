"""Which files a compilation sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from populus.sources import collect_sources, imports, remap


def test_all_forms_of_import_are_seen() -> None:
    content = """
        import "./a.sol";
        import * as B from '../b.sol';
        import {C, D as E} from "lib/c.sol";
        import
            "./sub/d.sol" as D;
    """
    assert imports("contracts/x/X.sol", content, []) == [
        "contracts/x/a.sol",
        "contracts/b.sol",
        "lib/c.sol",
        "contracts/x/sub/d.sol",
    ]


def test_imports_in_comments_and_texts_are_none() -> None:
    content = """
        // import "./no.sol";
        /* import "./no.sol"; */
        contract X { string s = "// not a comment"; }
        import "./yes.sol";
    """
    assert imports("contracts/X.sol", content, []) == ["contracts/yes.sol"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("@oz/token/A.sol", "node_modules/@oz/token/A.sol"),
        ("@oz/special/A.sol", "elsewhere/A.sol"),
        ("other/A.sol", "other/A.sol"),
    ],
)
def test_the_longest_remapping_counts(path: str, expected: str) -> None:
    assert remap(path, ["@oz/=node_modules/@oz/", "@oz/special/=elsewhere/"]) == expected


def test_libraries_are_found_in_node_modules_above_the_project(tmp_path: Path) -> None:
    library = tmp_path / "node_modules" / "@shared" / "L.sol"
    library.parent.mkdir(parents=True)
    library.write_text("library L {}")
    project = tmp_path / "packages" / "one"
    (project / "contracts" / "deep").mkdir(parents=True)
    (project / "contracts" / "deep" / "X.sol").write_text('import "@shared/L.sol";')
    found = collect_sources(project, ["./contracts"], ["@shared/=node_modules/@shared/"])
    assert list(found.own) == ["contracts/deep/X.sol"]
    assert list(found.imported) == ["node_modules/@shared/L.sol"]


def test_a_missing_folder_has_no_sources(tmp_path: Path) -> None:
    assert collect_sources(tmp_path, ["./contracts"]).contents == {}
