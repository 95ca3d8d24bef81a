"""What makes a node a hub: parts around the core, each with one task.

The core lets instances cross a hub and keeps it neutral (`perun.core.hub`). Here is what a business
needs beside that: whom its money goes to, books, tending, pages for peers and for its operator.
"""
