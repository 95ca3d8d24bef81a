"""The imperative shell: store what a step changed, then act on it."""

from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.node.settings import config_for
from perun.node.threads import NodeThread

__all__ = ["Node", "NodeThread", "config_for", "open_books"]
