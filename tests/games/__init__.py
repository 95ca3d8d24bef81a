"""Play at random and judge by properties; each is a quick test, and a deep run as a module.

`python -m tests.games.stateful`, `.simulation`, `.storm`, `.kills`, `.planted`, `.planted.core`,
`.planted.edits`.
"""
