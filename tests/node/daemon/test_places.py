"""Where a daemon listens, and that nobody listens to the world without TLS."""

from __future__ import annotations

import pytest

from perun.daemon.places import place_of, require_tls
from perun.daemon.settings import BadSettings


@pytest.mark.parametrize("listen", ["127.0.0.1:7070", "localhost:7070", "[::1]:0"])
def test_this_machine_needs_no_tls(listen: str) -> None:
    require_tls(listen, secured=False)


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:7070", "[::]:7070", "192.0.2.1:7070", "hub.example.org:7070", ":7070"]
)
def test_what_others_reach_is_refused_in_words(listen: str) -> None:
    with pytest.raises(BadSettings, match="needs TLS: name a tls_certificate, or say proxy = true"):
        require_tls(listen, secured=False)
    require_tls(listen, secured=True)


@pytest.mark.parametrize(
    "text", ["7070", "127.0.0.1:", "127.0.0.1:70700", "127.0.0.1:-1", "x:\u0663"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadSettings, match="is no address to listen at"):
        place_of(text)
