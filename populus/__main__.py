"""`python -m populus`."""

from populus.cli import main

main(prog_name="populus")
