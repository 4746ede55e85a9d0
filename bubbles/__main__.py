"""`python -m bubbles` is the command `bubbles`."""

from bubbles.cli import main

if __name__ == "__main__":
    main()
