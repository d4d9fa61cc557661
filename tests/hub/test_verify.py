"""Files against their manifest: whatever is not as it was published is noticed."""

from __future__ import annotations

import pytest

from zoo.errors import HubError
from zoo.hub import manifest
from zoo.hub.verify import verify_files


def test_a_link_is_not_followed(bundle, tmp_path):
    (tmp_path / "elsewhere").write_bytes((bundle / "README.md").read_bytes())
    (bundle / "README.md").unlink()
    (bundle / "README.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HubError, match="is a link"):
        verify_files(bundle)


def test_missing_shortened_lengthened_and_unlisted_files_are_noticed(bundle):
    readme = (bundle / "README.md").read_bytes()
    for change, message in [
        (lambda: (bundle / "README.md").unlink(), "is missing"),
        (lambda: (bundle / "README.md").write_bytes(readme[:-1]), "instead of"),
        (lambda: (bundle / "README.md").write_bytes(readme + b" "), "instead of"),
        (lambda: (bundle / "extra.pkl").write_bytes(b""), "does not list"),
    ]:
        change()
        with pytest.raises(HubError, match=message):
            verify_files(bundle)
        (bundle / "README.md").write_bytes(readme)
        (bundle / "extra.pkl").unlink(missing_ok=True)
    assert verify_files(bundle) == manifest.revision_of(bundle)
