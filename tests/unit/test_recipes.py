"""The recipes are short, name no variable that there is not, hold no secret, and stand on their page as they are."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "docs/examples/recipes").iterdir())
PAGE = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
LINES = 25


def play(recipe: Path) -> dict[str, Any]:
    (found,) = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    return dict(found)


def test_the_page_shows_each_recipe_as_it_is() -> None:
    shown = re.findall(
        r"^\[([\w.]+)\]\(\S+/docs/examples/recipes/\1\)\n\n```yaml\n(.*?)^```$", PAGE, re.M | re.S
    )
    assert len(shown) == PAGE.count("```yaml")
    assert sorted(shown) == [(recipe.name, recipe.read_text(encoding="utf-8")) for recipe in RECIPES]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
class TestRecipe:
    def test_it_is_short(self, recipe: Path) -> None:
        assert len(recipe.read_text(encoding="utf-8").splitlines()) <= LINES

    def test_its_variables_are_those_of_the_role(self, recipe: Path) -> None:
        specs = yaml.safe_load((ROOT / "roles/postfix/meta/argument_specs.yml").read_text(encoding="utf-8"))
        assert set(play(recipe)["vars"]) <= set(specs["argument_specs"]["main"]["options"])

    def test_its_secrets_are_in_a_vault(self, recipe: Path) -> None:
        given = play(recipe)["vars"]
        secrets = [given.get("postfix_relay_password"), *given.get("postfix_submission_users", {}).values()]
        assert all(re.fullmatch(r"{{ vault_\w+ }}", secret) for secret in secrets if secret)

    def test_it_is_run_by_a_test(self, recipe: Path) -> None:
        tests = (ROOT / "tests/integration/submission/test_recipes.py").read_text(encoding="utf-8")
        assert f'"{recipe.stem}"' in tests
